//! Identity's tables; only identity may depend on them. The one place where personal data lies.

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
    /// A person known to the platform, with their way in.
    party, "identity_party", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        /// The human being, derived from the identity document under a secret of the installation.
        person: Uuid,
        email: String,
        name: String,
        password: String,
        created_at: DateTimeUtc,
        /// In which they are written to, as in BCP 47.
        language: String,
        /// When the address was shown to be theirs.
        email_confirmed_at: Option<DateTimeUtc>,
    }
);

table!(
    /// A letter with a link that only its reader has; without a party it stands for an address nobody has.
    letter, "identity_letter", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        kind: String,
        party: Option<Uuid>,
        language: String,
        /// The fingerprint of the link's secret.
        secret: Vec<u8>,
        at: DateTimeUtc,
        expires_at: DateTimeUtc,
        used_at: Option<DateTimeUtc>,
    }
);

table!(
    /// What a party may do.
    role, "identity_role", {
        #[sea_orm(primary_key, auto_increment = false)]
        party: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        role: String,
        granted_at: DateTimeUtc,
        /// The change or invitation that brought it; nil for what comes with registration.
        by: Uuid,
    }
);

table!(
    /// One sign-in and all refresh tokens that follow from it.
    session, "identity_session", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        party: Uuid,
        agent: String,
        created_at: DateTimeUtc,
        expires_at: DateTimeUtc,
        revoked_at: Option<DateTimeUtc>,
        why: String,
    }
);

table!(
    /// A way to become staff, once.
    invitation, "identity_invitation", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        secret: Vec<u8>,
        role: String,
        /// Made at the first start, to be used by two different people.
        first: bool,
        expires_at: DateTimeUtc,
        used_by: Option<Uuid>,
        person: Option<Uuid>,
    }
);

table!(
    /// A change of rights or credentials, proposed by one person and decided by another.
    change, "identity_change", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        kind: String,
        subject: Option<Uuid>,
        /// The beneficiary, who is neither of the two.
        subject_person: Option<Uuid>,
        role: String,
        reason: String,
        proposed_by: Uuid,
        decided_by: Option<Uuid>,
        status: String,
        at: DateTimeUtc,
    }
);

table!(
    /// Somebody's second factor. Its secret derives from the seed under a secret of the installation.
    factor, "identity_factor", {
        #[sea_orm(primary_key, auto_increment = false)]
        party: Uuid,
        seed: Uuid,
        created_at: DateTimeUtc,
        /// From when on it is asked for.
        confirmed_at: Option<DateTimeUtc>,
        /// The last step of thirty seconds whose code was used: none works twice.
        last_step: i64,
        /// The request that used the last code: a call that came twice hears the same twice.
        last_request: Option<Uuid>,
        /// From which the recovery codes derive.
        batch: Uuid,
    }
);

table!(
    /// A program that a party lets read for it.
    client, "identity_client", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: Uuid,
        party: Uuid,
        /// As its owner calls it.
        name: String,
        /// With blanks between them, as OAuth writes them.
        scopes: String,
        /// The fingerprint of its secret.
        secret: Vec<u8>,
        created_at: DateTimeUtc,
        /// When it last asked for a token.
        used_at: Option<DateTimeUtc>,
        revoked_at: Option<DateTimeUtc>,
    }
);
