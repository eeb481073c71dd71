//! Lending's tables.

use crate::loan::Note;
use chrono::NaiveDate;
use entity_lending::{
    application, disbursement, disbursement_line, distribution, instalment, loan, note, quote, repayment,
};
use finance::{Currency, Money, Rate};
use kernel::id::derived;
use kernel::id::{
    ApplicationId, InstructionId, LineId, ListingId, LoanId, NoteId, PartyId, PersonId, RepaymentId,
};
use lending_api::event::ContractLine;
use lending_api::*;
use platform::db::{Sql, Tx};
use platform::page::{self, Order};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// A statement takes a limited number of values; SQLite's limit is the lowest.
const ROWS_A_STATEMENT: usize = 1_000;

fn currency(code: &str) -> Result<Currency, DbErr> {
    code.parse().map_err(|_| DbErr::Type(format!("{code} is no currency")))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|e| DbErr::Json(e.to_string()))
}

fn text<T: serde::Serialize>(value: &T) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|e| DbErr::Json(e.to_string()))
}

fn narrow(n: i64) -> Result<u32, DbErr> {
    u32::try_from(n).map_err(|_| DbErr::Type("a number out of range".into()))
}

pub(crate) struct Application {
    pub(crate) view: ApplicationView,
    pub(crate) person: PersonId,
}

fn application_of(row: application::Model) -> Result<Application, DbErr> {
    let view = ApplicationView {
        id: ApplicationId(row.id),
        borrower: PartyId(row.borrower),
        product: json(&row.product)?,
        amount: Money::new(row.amount, currency(&row.currency)?),
        term_months: narrow(row.term_months)?,
        purpose: row.purpose,
        story: row.story,
        facts: json(&row.facts)?,
        status: ApplicationStatus::from_code(&row.status).ok_or_else(|| DbErr::Type(row.status.clone()))?,
        rate: row.rate_ppm.map(narrow).transpose()?.map(Rate::from_ppm),
        at: row.at,
        decided_at: row.decided_at,
    };
    Ok(Application { view, person: PersonId(row.borrower_person) })
}

pub(crate) async fn maybe_application(
    db: &impl ConnectionTrait,
    id: ApplicationId,
) -> Result<Option<Application>, DbErr> {
    application::Entity::find_by_id(id.0).one(db).await?.map(application_of).transpose()
}

pub(crate) async fn lock_application(tx: &Tx, id: ApplicationId) -> Result<Option<Application>, DbErr> {
    tx.one(format!("SELECT id FROM lending_application WHERE id = $1{}", tx.for_update()), [id.0.into()])
        .await?;
    maybe_application(tx, id).await
}

pub(crate) async fn insert_application(tx: &Tx, a: &Application) -> Result<(), DbErr> {
    let v = &a.view;
    let row = application::Model {
        id: v.id.0,
        borrower: v.borrower.0,
        borrower_person: a.person.0,
        product: text(&v.product)?,
        currency: v.amount.currency().code().into(),
        amount: v.amount.minor(),
        term_months: i64::from(v.term_months),
        purpose: v.purpose.clone(),
        story: v.story.clone(),
        facts: text(&v.facts)?,
        status: v.status.code().into(),
        rate_ppm: None,
        at: v.at,
        decided_at: None,
    };
    application::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn keep_draft(tx: &Tx, borrower: PartyId, draft: &DraftView) -> Result<(), DbErr> {
    let sql = "INSERT INTO lending_draft (borrower, application, fields, at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (borrower) DO UPDATE SET application = $2, fields = $3, at = $4";
    let values =
        [borrower.0.into(), draft.application.0.into(), text(&draft.fields)?.into(), draft.saved_at.into()];
    tx.run(sql, values).await.map(drop)
}

/// Forgets it, unless another has been begun since.
pub(crate) async fn forget_draft(
    tx: &Tx,
    borrower: PartyId,
    application: ApplicationId,
) -> Result<(), DbErr> {
    let sql = "DELETE FROM lending_draft WHERE borrower = $1 AND application = $2";
    tx.run(sql, [borrower.0.into(), application.0.into()]).await.map(drop)
}

pub(crate) async fn draft(db: &impl ConnectionTrait, borrower: PartyId) -> Result<Option<DraftView>, DbErr> {
    let sql = "SELECT application, fields, at FROM lending_draft WHERE borrower = $1";
    let Some(row) = db.one(sql, [borrower.0.into()]).await? else { return Ok(None) };
    let fields: String = row.try_get_by_index(1)?;
    Ok(Some(DraftView {
        application: ApplicationId(row.try_get_by_index(0)?),
        fields: serde_json::from_str(&fields).map_err(|e| DbErr::Json(e.to_string()))?,
        saved_at: row.try_get_by_index(2)?,
    }))
}

pub(crate) async fn update_application(tx: &Tx, v: &ApplicationView) -> Result<(), DbErr> {
    let sql = "UPDATE lending_application SET status = $1, rate_ppm = $2, decided_at = $3 WHERE id = $4";
    let rate = v.rate.map(|r| i64::from(r.ppm()));
    tx.run(sql, [v.status.code().into(), rate.into(), v.decided_at.into(), v.id.0.into()]).await.map(drop)
}

pub(crate) async fn applications(
    db: &impl ConnectionTrait,
    ask: &ApplicationsOf,
) -> Result<Vec<ApplicationView>, DbErr> {
    let mut find = application::Entity::find();
    if !ask.ids.is_empty() {
        find = find.filter(application::Column::Id.is_in(ask.ids.iter().map(|id| id.0)));
    }
    if let Some(borrower) = ask.borrower {
        find = find.filter(application::Column::Borrower.eq(borrower.0));
    }
    if let Some(status) = ask.status {
        find = find.filter(application::Column::Status.eq(status.code()));
    }
    let order = (application::Column::At, application::Column::Id);
    let rows = page::rows(db, find, order, Order::Descending, &ask.page).await?;
    rows.into_iter().map(|r| application_of(r).map(|a| a.view)).collect()
}

pub(crate) struct Loan {
    pub(crate) view: LoanView,
    pub(crate) operation: Option<RepaymentId>,
    pub(crate) version: i64,
}

fn loan_of(row: loan::Model) -> Result<Loan, DbErr> {
    let currency = currency(&row.currency)?;
    let view = LoanView {
        id: LoanId(row.id),
        listing: ListingId(row.listing),
        borrower: PartyId(row.borrower),
        terms: json(&row.terms)?,
        status: LoanStatus::from_code(&row.status).ok_or_else(|| DbErr::Type(row.status.clone()))?,
        started_on: row.started_on,
        closed_on: row.closed_on,
        outstanding: Money::new(row.outstanding, currency),
        days_past_due: narrow(row.days_past_due)?,
        at: row.at,
    };
    Ok(Loan { view, operation: row.operation.map(RepaymentId), version: row.version })
}

pub(crate) async fn maybe_loan(db: &impl ConnectionTrait, id: LoanId) -> Result<Option<Loan>, DbErr> {
    loan::Entity::find_by_id(id.0).one(db).await?.map(loan_of).transpose()
}

pub(crate) async fn lock_loan(tx: &Tx, id: LoanId) -> Result<Option<Loan>, DbErr> {
    tx.one(format!("SELECT id FROM lending_loan WHERE id = $1{}", tx.for_update()), [id.0.into()]).await?;
    maybe_loan(tx, id).await
}

pub(crate) async fn insert_loan(tx: &Tx, v: &LoanView) -> Result<(), DbErr> {
    let row = loan::Model {
        id: v.id.0,
        listing: v.listing.0,
        borrower: v.borrower.0,
        currency: v.outstanding.currency().code().into(),
        terms: text(&v.terms)?,
        status: v.status.code().into(),
        started_on: v.started_on,
        closed_on: v.closed_on,
        outstanding: v.outstanding.minor(),
        days_past_due: 0,
        operation: None,
        version: 1,
        at: v.at,
    };
    loan::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

/// Stores what may change of a loan; its version grows.
pub(crate) async fn update_loan(tx: &Tx, l: &Loan) -> Result<(), DbErr> {
    let v = &l.view;
    let sql = "UPDATE lending_loan SET status = $1, started_on = $2, closed_on = $3, outstanding = $4, days_past_due = $5,
                   operation = $6, version = $7 WHERE id = $8";
    let values = [
        v.status.code().into(),
        v.started_on.into(),
        v.closed_on.into(),
        v.outstanding.minor().into(),
        i64::from(v.days_past_due).into(),
        l.operation.map(|o| o.0).into(),
        l.version.into(),
        v.id.0.into(),
    ];
    tx.run(sql, values).await.map(drop)
}

pub(crate) async fn loans(db: &impl ConnectionTrait, ask: &LoansOf) -> Result<Vec<LoanView>, DbErr> {
    let mut find = loan::Entity::find();
    if let Some(borrower) = ask.borrower {
        find = find.filter(loan::Column::Borrower.eq(borrower.0));
    }
    if !ask.ids.is_empty() {
        find = find.filter(loan::Column::Id.is_in(ask.ids.iter().map(|id| id.0)));
    }
    if let Some(status) = ask.status {
        find = find.filter(loan::Column::Status.eq(status.code()));
    }
    let order = (loan::Column::At, loan::Column::Id);
    let rows = page::rows(db, find, order, Order::Descending, &ask.page).await?;
    rows.into_iter().map(|r| loan_of(r).map(|l| l.view)).collect()
}

/// Of these loans, those of which a party holds a note.
pub(crate) async fn loans_held(
    db: &impl ConnectionTrait,
    holder: PartyId,
    ids: &[LoanId],
) -> Result<BTreeSet<LoanId>, DbErr> {
    let find = note::Entity::find()
        .filter(note::Column::Holder.eq(holder.0))
        .filter(note::Column::Loan.is_in(ids.iter().map(|id| id.0)));
    Ok(find.all(db).await?.into_iter().map(|n| LoanId(n.loan)).collect())
}

/// How far the payment of a loan to its borrower has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DisbursementStatus {
    Running,
    /// Attempted often enough; people are asked.
    Stuck,
    Undoing,
    Done,
    Undone,
}

impl DisbursementStatus {
    fn code(self) -> &'static str {
        match self {
            DisbursementStatus::Running => "RUNNING",
            DisbursementStatus::Stuck => "STUCK",
            DisbursementStatus::Undoing => "UNDOING",
            DisbursementStatus::Done => "DONE",
            DisbursementStatus::Undone => "UNDONE",
        }
    }

    fn from_code(code: &str) -> Option<DisbursementStatus> {
        use DisbursementStatus as S;
        [S::Running, S::Stuck, S::Undoing, S::Done, S::Undone].into_iter().find(|s| s.code() == code)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LineStatus {
    /// Still frozen with its investor.
    Open,
    Paid,
    /// With its investor again.
    Returned,
}

impl LineStatus {
    fn code(self) -> &'static str {
        match self {
            LineStatus::Open => "OPEN",
            LineStatus::Paid => "PAID",
            LineStatus::Returned => "RETURNED",
        }
    }

    fn from_code(code: &str) -> Option<LineStatus> {
        [LineStatus::Open, LineStatus::Paid, LineStatus::Returned].into_iter().find(|s| s.code() == code)
    }
}

pub(crate) struct DisbursementLine {
    pub(crate) line: LineId,
    pub(crate) freeze: InstructionId,
    /// In minor units of the loan's currency.
    pub(crate) amount: i64,
    pub(crate) status: LineStatus,
}

pub(crate) struct Disbursement {
    pub(crate) loan: LoanId,
    pub(crate) borrower_person: PersonId,
    pub(crate) status: DisbursementStatus,
    pub(crate) lines: Vec<DisbursementLine>,
}

impl Disbursement {
    pub(crate) fn has(&self, status: LineStatus) -> bool {
        self.lines.iter().any(|l| l.status == status)
    }
}

pub(crate) async fn insert_disbursement(
    tx: &Tx,
    loan: LoanId,
    borrower_person: PersonId,
    lines: &[ContractLine],
) -> Result<(), DbErr> {
    let row = disbursement::Model {
        loan: loan.0,
        borrower_person: borrower_person.0,
        status: DisbursementStatus::Running.code().into(),
    };
    disbursement::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    for part in lines.chunks(ROWS_A_STATEMENT) {
        let rows = part.iter().map(|l| {
            disbursement_line::Model {
                line: l.line.0,
                loan: loan.0,
                freeze_id: l.freeze.0,
                amount: l.amount.minor(),
                status: LineStatus::Open.code().into(),
                undo: derived::line_undo(l.line).0,
            }
            .into_active_model()
        });
        disbursement_line::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

pub(crate) async fn maybe_disbursement(
    db: &impl ConnectionTrait,
    loan: LoanId,
) -> Result<Option<Disbursement>, DbErr> {
    let Some(row) = disbursement::Entity::find_by_id(loan.0).one(db).await? else { return Ok(None) };
    let find = disbursement_line::Entity::find().filter(disbursement_line::Column::Loan.eq(loan.0));
    let line = |l: disbursement_line::Model| {
        Ok(DisbursementLine {
            line: LineId(l.line),
            freeze: InstructionId(l.freeze_id),
            amount: l.amount,
            status: LineStatus::from_code(&l.status).ok_or(DbErr::Type(l.status))?,
        })
    };
    let rows = find.order_by_asc(disbursement_line::Column::Line).all(db).await?;
    Ok(Some(Disbursement {
        loan,
        borrower_person: PersonId(row.borrower_person),
        status: DisbursementStatus::from_code(&row.status).ok_or(DbErr::Type(row.status))?,
        lines: rows.into_iter().map(line).collect::<Result<_, DbErr>>()?,
    }))
}

pub(crate) async fn update_disbursement(tx: &Tx, d: &Disbursement) -> Result<(), DbErr> {
    let sql = "UPDATE lending_disbursement SET status = $1 WHERE loan = $2";
    tx.run(sql, [d.status.code().into(), d.loan.0.into()]).await.map(drop)
}

pub(crate) async fn update_line(tx: &Tx, l: &DisbursementLine) -> Result<(), DbErr> {
    let sql = "UPDATE lending_disbursement_line SET status = $1 WHERE line = $2";
    tx.run(sql, [l.status.code().into(), l.line.0.into()]).await.map(drop)
}

/// The line that an instruction gives back, and its loan.
pub(crate) async fn line_of_undo(
    db: &impl ConnectionTrait,
    undo: InstructionId,
) -> Result<Option<(LoanId, LineId)>, DbErr> {
    let find = disbursement_line::Entity::find().filter(disbursement_line::Column::Undo.eq(undo.0));
    Ok(find.one(db).await?.map(|l| (LoanId(l.loan), LineId(l.line))))
}

/// The notes of a loan that never was.
pub(crate) async fn cancel_notes(tx: &Tx, loan: LoanId) -> Result<(), DbErr> {
    let sql = "UPDATE lending_note SET outstanding = 0, version = version + 1 WHERE loan = $1";
    tx.run(sql, [loan.0.into()]).await.map(drop)
}

/// Running loans with something unpaid on or before a date, in order of id, after one.
pub(crate) async fn loans_with_due(
    db: &impl ConnectionTrait,
    date: NaiveDate,
    after: Option<LoanId>,
    limit: i64,
) -> Result<Vec<LoanId>, DbErr> {
    let sql = "SELECT DISTINCT i.loan FROM lending_instalment i JOIN lending_loan l ON l.id = i.loan
               WHERE i.status = 'SCHEDULED' AND i.due <= $1 AND l.status IN ('ACTIVE', 'OVERDUE') AND i.loan > $2
               ORDER BY i.loan LIMIT $3";
    let after = after.map_or(uuid::Uuid::nil(), |id| id.0);
    let rows = db.all(sql, [date.into(), after.into(), limit.into()]).await?;
    rows.iter().map(|r| r.try_get_by_index(0).map(LoanId)).collect()
}

pub(crate) async fn insert_instalments(
    tx: &Tx,
    id: LoanId,
    schedule: &[finance::schedule::Instalment],
) -> Result<(), DbErr> {
    let rows = schedule.iter().map(|i| {
        instalment::Model {
            loan: id.0,
            number: i64::from(i.number),
            due: i.due,
            interest: i.interest.minor(),
            principal: i.principal.minor(),
            status: "SCHEDULED".into(),
            paid_on: None,
        }
        .into_active_model()
    });
    instalment::Entity::insert_many(rows).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn next_dues(db: &impl ConnectionTrait, loans: &[LoanId]) -> Result<Vec<NextDue>, DbErr> {
    let find = instalment::Entity::find()
        .select_only()
        .column(instalment::Column::Loan)
        .column_as(instalment::Column::Due.min(), "due")
        .filter(instalment::Column::Loan.is_in(loans.iter().map(|id| id.0)))
        .filter(instalment::Column::Status.eq("SCHEDULED"))
        .group_by(instalment::Column::Loan);
    let rows: Vec<(uuid::Uuid, NaiveDate)> = find.into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(loan, due)| NextDue { loan: LoanId(loan), due }).collect())
}

pub(crate) async fn instalments(
    db: &impl ConnectionTrait,
    loan: &LoanView,
) -> Result<Vec<InstalmentView>, DbErr> {
    let currency = loan.outstanding.currency();
    let find = instalment::Entity::find().filter(instalment::Column::Loan.eq(loan.id.0));
    let rows = find.order_by_asc(instalment::Column::Number).all(db).await?;
    rows.into_iter()
        .map(|r| {
            Ok(InstalmentView {
                number: narrow(r.number)?,
                due: r.due,
                interest: Money::new(r.interest, currency),
                principal: Money::new(r.principal, currency),
                status: match r.status.as_str() {
                    "PAID" => InstalmentStatus::Paid,
                    "REPLACED" => InstalmentStatus::Replaced,
                    _ => InstalmentStatus::Scheduled,
                },
                paid_on: r.paid_on,
            })
        })
        .collect()
}

/// Ends instalments up to a number: those due by the date are paid, later ones replaced by an early payoff.
pub(crate) async fn pay_instalments(
    tx: &Tx,
    id: LoanId,
    up_to: u32,
    early: bool,
    on: NaiveDate,
) -> Result<(), DbErr> {
    let sql = "UPDATE lending_instalment SET status = CASE WHEN $1 AND due > $2 THEN 'REPLACED' ELSE 'PAID' END, paid_on = $2
               WHERE loan = $3 AND number <= $4 AND status = 'SCHEDULED'";
    tx.run(sql, [early.into(), on.into(), id.0.into(), i64::from(up_to).into()]).await.map(drop)
}

fn note_of(row: note::Model) -> Result<Note, DbErr> {
    let currency = currency(&row.currency)?;
    let view = NoteView {
        id: NoteId(row.id),
        loan: LoanId(row.loan),
        holder: PartyId(row.holder),
        principal: Money::new(row.principal, currency),
        outstanding: Money::new(row.outstanding, currency),
        interest_received: Money::new(row.interest_received, currency),
        version: narrow(row.version)?,
    };
    Ok(Note { view, interest_carry: row.interest_carry, principal_carry: row.principal_carry })
}

pub(crate) async fn insert_notes(tx: &Tx, notes: &[NoteView]) -> Result<(), DbErr> {
    let row = |n: &NoteView| {
        note::Model {
            id: n.id.0,
            loan: n.loan.0,
            holder: n.holder.0,
            currency: n.principal.currency().code().into(),
            principal: n.principal.minor(),
            outstanding: n.outstanding.minor(),
            interest_received: 0,
            interest_carry: 0,
            principal_carry: 0,
            version: 1,
        }
        .into_active_model()
    };
    for part in notes.chunks(ROWS_A_STATEMENT) {
        note::Entity::insert_many(part.iter().map(row)).exec_without_returning(tx).await?;
    }
    Ok(())
}

pub(crate) async fn notes(db: &impl ConnectionTrait, ask: &NotesOf) -> Result<Vec<Note>, DbErr> {
    let mut find = note::Entity::find();
    if let Some(holder) = ask.holder {
        find = find.filter(note::Column::Holder.eq(holder.0));
    }
    if let Some(loan) = ask.loan {
        find = find.filter(note::Column::Loan.eq(loan.0));
    }
    find.order_by_asc(note::Column::Id).all(db).await?.into_iter().map(note_of).collect()
}

pub(crate) async fn maybe_note(db: &impl ConnectionTrait, id: NoteId) -> Result<Option<Note>, DbErr> {
    note::Entity::find_by_id(id.0).one(db).await?.map(note_of).transpose()
}

/// Gives a note its settled part.
pub(crate) async fn pay_note(tx: &Tx, p: &Part) -> Result<(), DbErr> {
    let sql = "UPDATE lending_note SET outstanding = outstanding - $1, interest_received = interest_received + $2,
                   interest_carry = $3, principal_carry = $4, version = version + 1 WHERE id = $5 AND version = $6";
    let values = [
        p.principal.into(),
        p.interest.into(),
        p.interest_carry.into(),
        p.principal_carry.into(),
        p.note.0.into(),
        p.note_version.into(),
    ];
    if tx.run(sql, values).await?.rows_affected() != 1 {
        return Err(DbErr::Custom(format!("note {} changed while it was being paid", p.note)));
    }
    Ok(())
}

pub(crate) struct Repayment {
    pub(crate) view: RepaymentView,
    pub(crate) up_to: u32,
}

fn repayment_of(row: repayment::Model) -> Result<Repayment, DbErr> {
    let currency = currency(&row.currency)?;
    let view = RepaymentView {
        id: RepaymentId(row.id),
        loan: LoanId(row.loan),
        early: row.early,
        interest: Money::new(row.interest, currency),
        principal: Money::new(row.principal, currency),
        total: Money::new(row.interest + row.principal, currency),
        status: RepaymentStatus::from_code(&row.status).ok_or_else(|| DbErr::Type(row.status.clone()))?,
        why: row.why,
        value_date: row.value_date,
        redirect_url: None,
        at: row.at,
    };
    Ok(Repayment { view, up_to: narrow(row.up_to)? })
}

pub(crate) async fn maybe_repayment(
    db: &impl ConnectionTrait,
    id: RepaymentId,
) -> Result<Option<Repayment>, DbErr> {
    repayment::Entity::find_by_id(id.0).one(db).await?.map(repayment_of).transpose()
}

/// A loan's repayments, newest first.
pub(crate) async fn repayments(db: &impl ConnectionTrait, loan: LoanId) -> Result<Vec<RepaymentView>, DbErr> {
    let find = repayment::Entity::find().filter(repayment::Column::Loan.eq(loan.0));
    let rows = find.order_by_desc(repayment::Column::At).all(db).await?;
    rows.into_iter().map(|r| repayment_of(r).map(|r| r.view)).collect()
}

/// The repayment whose freeze or batch this is, and whether it is the freeze.
pub(crate) async fn repayment_of_instruction(
    db: &impl ConnectionTrait,
    id: InstructionId,
) -> Result<Option<(RepaymentId, bool)>, DbErr> {
    if let Some(row) = repayment::Entity::find().filter(repayment::Column::FreezeId.eq(id.0)).one(db).await? {
        return Ok(Some((RepaymentId(row.id), true)));
    }
    let row = repayment::Entity::find().filter(repayment::Column::BatchId.eq(id.0)).one(db).await?;
    Ok(row.map(|r| (RepaymentId(r.id), false)))
}

pub(crate) async fn insert_repayment(
    tx: &Tx,
    r: &Repayment,
    freeze: InstructionId,
    batch: InstructionId,
) -> Result<(), DbErr> {
    let v = &r.view;
    let row = repayment::Model {
        id: v.id.0,
        loan: v.loan.0,
        early: v.early,
        up_to: i64::from(r.up_to),
        currency: v.total.currency().code().into(),
        interest: v.interest.minor(),
        principal: v.principal.minor(),
        status: v.status.code().into(),
        why: v.why.clone(),
        value_date: v.value_date,
        freeze_id: freeze.0,
        batch_id: batch.0,
        at: v.at,
    };
    repayment::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn update_repayment(tx: &Tx, v: &RepaymentView) -> Result<(), DbErr> {
    let sql = "UPDATE lending_repayment SET status = $1, why = $2, value_date = $3 WHERE id = $4";
    tx.run(sql, [v.status.code().into(), v.why.clone().into(), v.value_date.into(), v.id.0.into()])
        .await
        .map(drop)
}

/// A note's stored part of a repayment.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) line: LineId,
    pub(crate) note: NoteId,
    pub(crate) holder: PartyId,
    pub(crate) note_version: i64,
    pub(crate) interest: i64,
    pub(crate) principal: i64,
    pub(crate) interest_carry: i64,
    pub(crate) principal_carry: i64,
    pub(crate) settled: bool,
}

pub(crate) async fn insert_parts(tx: &Tx, id: RepaymentId, parts: &[Part]) -> Result<(), DbErr> {
    for some in parts.chunks(1_000) {
        let rows = some.iter().map(|p| {
            distribution::Model {
                repayment: id.0,
                note: p.note.0,
                line: p.line.0,
                holder: p.holder.0,
                note_version: p.note_version,
                interest: p.interest,
                principal: p.principal,
                interest_carry: p.interest_carry,
                principal_carry: p.principal_carry,
                settled: p.settled,
            }
            .into_active_model()
        });
        distribution::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

pub(crate) async fn parts(db: &impl ConnectionTrait, id: RepaymentId) -> Result<Vec<Part>, DbErr> {
    let find = distribution::Entity::find().filter(distribution::Column::Repayment.eq(id.0));
    let part = |r: distribution::Model| Part {
        line: LineId(r.line),
        note: NoteId(r.note),
        holder: PartyId(r.holder),
        note_version: r.note_version,
        interest: r.interest,
        principal: r.principal,
        interest_carry: r.interest_carry,
        principal_carry: r.principal_carry,
        settled: r.settled,
    };
    Ok(find.order_by_asc(distribution::Column::Note).all(db).await?.into_iter().map(part).collect())
}

pub(crate) async fn settle_part(tx: &Tx, line: LineId) -> Result<(), DbErr> {
    tx.run("UPDATE lending_distribution SET settled = $1 WHERE line = $2", [true.into(), line.0.into()])
        .await
        .map(drop)
}

pub(crate) async fn history(db: &impl ConnectionTrait, note: &NoteView) -> Result<Vec<NotePayment>, DbErr> {
    let sql = "SELECT r.id, d.interest, d.principal, r.value_date, d.settled FROM lending_distribution d
               JOIN lending_repayment r ON r.id = d.repayment WHERE d.note = $1 ORDER BY r.at";
    let currency = note.principal.currency();
    let rows = db.all(sql, [note.id.0.into()]).await?;
    rows.iter()
        .map(|r| {
            Ok(NotePayment {
                repayment: RepaymentId(r.try_get_by_index(0)?),
                interest: Money::new(r.try_get_by_index(1)?, currency),
                principal: Money::new(r.try_get_by_index(2)?, currency),
                value_date: r.try_get_by_index(3)?,
                settled: r.try_get_by_index(4)?,
            })
        })
        .collect()
}

/// Of which parts lines are, of one holder's or of anybody's.
pub(crate) async fn received(
    db: &impl ConnectionTrait,
    holder: Option<PartyId>,
    lines: &[LineId],
) -> Result<Vec<Received>, DbErr> {
    let mut find = distribution::Entity::find()
        .filter(distribution::Column::Line.is_in(lines.iter().take(100).map(|l| l.0)));
    if let Some(holder) = holder {
        find = find.filter(distribution::Column::Holder.eq(holder.0));
    }
    let found = find.all(db).await?;
    let of = note::Entity::find().filter(note::Column::Id.is_in(found.iter().map(|d| d.note)));
    let currencies: std::collections::BTreeMap<_, _> =
        of.all(db).await?.into_iter().map(|n| (n.id, n.currency)).collect();
    found
        .into_iter()
        .map(|d| {
            let currency = currency(currencies.get(&d.note).map_or("", String::as_str))?;
            Ok(Received {
                line: LineId(d.line),
                interest: Money::new(d.interest, currency),
                principal: Money::new(d.principal, currency),
            })
        })
        .collect()
}

/// Counts what a date's work has done, in the transaction that does it.
pub(crate) async fn count_day(tx: &Tx, date: NaiveDate, begun: bool, overdue: bool) -> Result<(), DbErr> {
    let sql = "INSERT INTO lending_day (date, repayments_begun, became_overdue) VALUES ($1, $2, $3) ON CONFLICT (date) DO UPDATE
               SET repayments_begun = lending_day.repayments_begun + $2, became_overdue = lending_day.became_overdue + $3";
    tx.run(sql, [date.into(), i64::from(begun).into(), i64::from(overdue).into()]).await.map(drop)
}

/// What a date's work has done so far.
pub(crate) async fn day(db: &impl ConnectionTrait, date: NaiveDate) -> Result<DayRun, DbErr> {
    let row = db
        .one("SELECT repayments_begun, became_overdue FROM lending_day WHERE date = $1", [date.into()])
        .await?;
    row.map_or(Ok(DayRun::default()), |r| {
        Ok(DayRun {
            repayments_begun: narrow(r.try_get_by_index(0)?)?,
            became_overdue: narrow(r.try_get_by_index(1)?)?,
        })
    })
}

pub(crate) struct Quote {
    pub(crate) view: QuoteView,
    pub(crate) loan_version: i64,
}

pub(crate) async fn insert_quote(tx: &Tx, q: &Quote) -> Result<(), DbErr> {
    let row = quote::Model {
        id: q.view.id.0,
        loan: q.view.loan.0,
        on_date: q.view.on,
        currency: q.view.total.currency().code().into(),
        interest: q.view.interest.minor(),
        principal: q.view.principal.minor(),
        loan_version: q.loan_version,
    };
    quote::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn maybe_quote(
    db: &impl ConnectionTrait,
    id: kernel::id::QuoteId,
) -> Result<Option<Quote>, DbErr> {
    let Some(row) = quote::Entity::find_by_id(id.0).one(db).await? else { return Ok(None) };
    let currency = currency(&row.currency)?;
    let view = QuoteView {
        id,
        loan: LoanId(row.loan),
        on: row.on_date,
        principal: Money::new(row.principal, currency),
        interest: Money::new(row.interest, currency),
        total: Money::new(row.principal + row.interest, currency),
        valid_on: row.on_date,
    };
    Ok(Some(Quote { view, loan_version: row.loan_version }))
}
