//! Lending's tables; only lending may depend on them.

macro_rules! table {
    ($(#[$doc:meta])* $module:ident, $name:literal, { $($(#[$fdoc:meta])* $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$doc])*
        pub mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model {
                $($(#[$fdoc])* pub $field: $ty,)*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

table!(
    /// A borrower's request.
    application, "lending_application", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        borrower: Uuid,
        borrower_person: Uuid,
        /// The product as it was when asked, as JSON.
        product: String,
        currency: String,
        amount: i64,
        term_months: i64,
        purpose: String,
        story: String,
        facts: String,
        status: String,
        rate_ppm: Option<i64>,
        at: DateTimeUtc,
        decided_at: Option<DateTimeUtc>,
    }
);

table!(
    /// The contract.
    loan, "lending_loan", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        listing: Uuid,
        borrower: Uuid,
        currency: String,
        terms: String,
        status: String,
        started_on: Option<Date>,
        closed_on: Option<Date>,
        outstanding: i64,
        days_past_due: i64,
        /// The one repayment under way.
        operation: Option<Uuid>,
        /// Grows with everything that changes what is owed.
        version: i64,
        at: DateTimeUtc,
    }
);

table!(
    /// One due date.
    instalment, "lending_instalment", {
        #[sea_orm(primary_key, auto_increment = false)]
        loan: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        number: i64,
        due: Date,
        interest: i64,
        principal: i64,
        status: String,
        paid_on: Option<Date>,
    }
);

table!(
    /// A holder's share of a loan, with the fractions that earlier roundings left.
    note, "lending_note", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        loan: Uuid,
        holder: Uuid,
        currency: String,
        principal: i64,
        outstanding: i64,
        interest_received: i64,
        interest_carry: i64,
        principal_carry: i64,
        version: i64,
    }
);

table!(
    /// One repayment from its freeze to its last line.
    repayment, "lending_repayment", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        loan: Uuid,
        early: bool,
        /// The last instalment it pays.
        up_to: i64,
        currency: String,
        interest: i64,
        principal: i64,
        status: String,
        why: String,
        value_date: Option<Date>,
        freeze_id: Uuid,
        batch_id: Uuid,
        at: DateTimeUtc,
    }
);

table!(
    /// One note's part of a repayment; computed once.
    distribution, "lending_distribution", {
        #[sea_orm(primary_key, auto_increment = false)]
        repayment: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        note: Uuid,
        line: Uuid,
        holder: Uuid,
        note_version: i64,
        interest: i64,
        principal: i64,
        interest_carry: i64,
        principal_carry: i64,
        settled: bool,
    }
);

table!(
    /// What a payoff was quoted at.
    quote, "lending_quote", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        loan: Uuid,
        on_date: Date,
        currency: String,
        interest: i64,
        principal: i64,
        loan_version: i64,
    }
);

table!(
    /// The payment of a loan to its borrower.
    disbursement, "lending_disbursement", {
        #[sea_orm(primary_key, auto_increment = false)]
        loan: Uuid,
        /// Who gains by it, and therefore decides nothing about it.
        borrower_person: Uuid,
        status: String,
    }
);

table!(
    /// One investor's part of it.
    disbursement_line, "lending_disbursement_line", {
        #[sea_orm(primary_key, auto_increment = false)]
        line: Uuid,
        loan: Uuid,
        freeze_id: Uuid,
        amount: i64,
        status: String,
        /// The instruction that gives it back, if it ever comes to that.
        undo: Uuid,
    }
);
