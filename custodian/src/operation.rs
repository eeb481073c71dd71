//! What the platform may ask. Each request carries a number that is unique for ever: the same number and content gives
//! the same answer, the same number with other content is a conflict. What needs the user's word becomes a redirect to
//! the custodian's own page, and is carried out there.

use crate::bank::{Bank, PLATFORM_INCOME};
use crate::books::{Bucket, Kind, Move, shift};
use crate::fault::{Case, Fault, Moment};
use crate::store;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Why something is not done.
#[derive(Debug)]
pub enum Refusal {
    /// A code that the platform can act on.
    Code(&'static str),
    /// Our own failure; the platform learns nothing and asks again.
    Broken(DbErr),
}

impl Refusal {
    pub(crate) fn code(code: &'static str) -> Refusal {
        Refusal::Code(code)
    }
}

impl From<DbErr> for Refusal {
    fn from(e: DbErr) -> Self {
        Refusal::Broken(e)
    }
}

/// What every request has, and what it asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub request_no: String,
    /// Unix seconds; afterwards it is refused, and "not found" means it failed.
    pub expires_at: i64,
    /// What it is for in the platform's business, so that it can be adopted after a restore.
    #[serde(default)]
    pub business: String,
    #[serde(flatten)]
    pub ask: Ask,
}

impl Request {
    pub(crate) fn case(&self) -> Case<'_> {
        Case { operation: self.ask.name(), user_no: self.ask.user_no(), request_no: &self.request_no }
    }
}

/// How much of a project's name is kept.
const NAME_MAX: usize = 200;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Ask {
    OpenAccount {
        user_no: String,
        name: String,
    },
    GrantAuthorization {
        user_no: String,
        grants: Vec<Grant>,
    },
    TopUp {
        user_no: String,
        currency: String,
        amount: i64,
    },
    Withdraw {
        user_no: String,
        currency: String,
        amount: i64,
    },
    CreateProject {
        project_no: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        user_no: String,
        currency: String,
        amount: i64,
        fee_max: i64,
    },
    Freeze {
        user_no: String,
        project_no: String,
        purpose: Scope,
        amount: i64,
        /// On the user's page, whatever they allow in advance.
        #[serde(default, skip_serializing_if = "is_false")]
        by_hand: bool,
    },
    FreezeBatch {
        project_no: String,
        purpose: Scope,
        lines: Vec<FreezeAsk>,
    },
    Unfreeze {
        freeze_no: String,
    },
    UnfreezeBatch {
        freeze_nos: Vec<String>,
    },
    Disburse {
        project_no: String,
        lines: Vec<DisburseLine>,
    },
    Unblock {
        project_no: String,
        amount: i64,
    },
    ReverseLine {
        batch_no: String,
        line_no: String,
        amount: i64,
    },
    Repay {
        project_no: String,
        freeze_no: String,
        lines: Vec<RepayLine>,
    },
    Fee {
        user_no: String,
        project_no: String,
        amount: i64,
    },
    PlatformFunds {
        currency: String,
        amount: i64,
    },
}

/// What is false is left out: a request that was hashed before there was such a wish has the same hash.
fn is_false(wish: &bool) -> bool {
    !wish
}

impl Ask {
    pub fn name(&self) -> &'static str {
        match self {
            Ask::OpenAccount { .. } => "open_account",
            Ask::GrantAuthorization { .. } => "grant_authorization",
            Ask::TopUp { .. } => "top_up",
            Ask::Withdraw { .. } => "withdraw",
            Ask::CreateProject { .. } => "create_project",
            Ask::Freeze { .. } => "freeze",
            Ask::FreezeBatch { .. } => "freeze_batch",
            Ask::Unfreeze { .. } => "unfreeze",
            Ask::UnfreezeBatch { .. } => "unfreeze_batch",
            Ask::Disburse { .. } => "disburse",
            Ask::Unblock { .. } => "unblock",
            Ask::ReverseLine { .. } => "reverse_line",
            Ask::Repay { .. } => "repay",
            Ask::Fee { .. } => "fee",
            Ask::PlatformFunds { .. } => "platform_funds",
        }
    }

    /// The user whose word it takes.
    pub(crate) fn user_no(&self) -> Option<&str> {
        match self {
            Ask::OpenAccount { user_no, .. }
            | Ask::GrantAuthorization { user_no, .. }
            | Ask::TopUp { user_no, .. }
            | Ask::Withdraw { user_no, .. }
            | Ask::CreateProject { user_no, .. }
            | Ask::Freeze { user_no, .. }
            | Ask::Fee { user_no, .. } => Some(user_no),
            _ => None,
        }
    }
}

/// What a consent allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    Bid,
    Repay,
    Fee,
}

impl Scope {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Scope::Bid => "BID",
            Scope::Repay => "REPAY",
            Scope::Fee => "FEE",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Scope> {
        [Scope::Bid, Scope::Repay, Scope::Fee].into_iter().find(|s| s.code() == code)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    pub scope: Scope,
    pub currency: String,
    /// For one order.
    pub per_order: i64,
    /// In all.
    pub total: i64,
    /// Unix seconds.
    pub expires_at: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FreezeAsk {
    pub freeze_no: String,
    pub user_no: String,
    pub amount: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DisburseLine {
    pub line_no: String,
    pub freeze_no: String,
    pub amount: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RepayLine {
    pub line_no: String,
    pub user_no: String,
    pub amount: i64,
    /// The part that gives back what was lent; the holding here shrinks by it.
    pub principal: i64,
}

/// What the platform learns at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    Accepted { custodian_no: String, status: String },
    Redirect { url: String, expires_at: i64 },
    Rejected { code: String },
}

/// What the platform learns by asking again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Found {
    /// `AWAITING_USER`, `PROCESSING`, `SUCCESS`, `PARTIAL`, `FAILED`, `CANCELLED`, `EXPIRED`.
    pub status: String,
    pub code: String,
    pub custodian_no: String,
    pub lines: Vec<FoundLine>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FoundLine {
    pub line_no: String,
    pub status: String,
    pub code: String,
}

/// Why it is said to have failed when it happens all the same, later.
const LATER: &str = "TIMED_OUT";

/// How long a user has for a page.
const PAGE_SECONDS: i64 = 900;

impl Bank {
    /// Takes a request: refuses it, carries it out, or sends the user to a page.
    ///
    /// # Errors
    /// Our own failure only; what is refused is a reply.
    pub async fn take(&self, request: &Request) -> Result<Reply, DbErr> {
        let outcome =
            self.alone::<Reply, Refusal, _>(|tx| async move { self.take_alone(&tx, request).await }).await;
        match outcome {
            Ok(reply) => Ok(reply),
            Err(Refusal::Broken(e)) => Err(e),
            Err(Refusal::Code(code)) => {
                // What was begun is rolled back; that it was refused stands, so that a repeat hears the same.
                if !matches!(code, "IDEMPOTENCY_CONFLICT" | "EXPIRED") {
                    self.alone::<(), DbErr, _>(|tx| async move {
                        self.remember(&*tx, request, "FAILED", code, "").await?;
                        self.notice(&*tx, &request.request_no, "FAILED").await
                    })
                    .await?;
                }
                Ok(Reply::Rejected { code: code.into() })
            }
        }
    }

    async fn take_alone(&self, tx: &Arc<DatabaseTransaction>, request: &Request) -> Result<Reply, Refusal> {
        let db = &**tx;
        let sql =
            "SELECT hash, status, code, custodian_no, token, expires_at FROM request WHERE request_no = $1";
        if let Some(row) = store::one(db, sql, [request.request_no.clone().into()]).await? {
            if row.try_get_by_index::<String>(0)? != hash(request) {
                return Err(Refusal::code("IDEMPOTENCY_CONFLICT"));
            }
            let (status, code): (String, String) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            return Ok(match status.as_str() {
                "AWAITING_USER" => Reply::Redirect {
                    url: self.page_url(&row.try_get_by_index::<String>(4)?),
                    expires_at: row.try_get_by_index(5)?,
                },
                "FAILED" | "CANCELLED" | "EXPIRED" => Reply::Rejected { code },
                _ => Reply::Accepted { custodian_no: row.try_get_by_index(3)?, status },
            });
        }
        if request.expires_at <= self.now() {
            return Err(Refusal::code("EXPIRED"));
        }
        if self.needs_page(db, request).await? {
            if let Ask::OpenAccount { user_no, .. } = &request.ask {
                let taken =
                    store::one(db, "SELECT 1 FROM account WHERE user_no = $1", [user_no.clone().into()])
                        .await?;
                if taken.is_some() {
                    return Err(Refusal::code("DUPLICATE_IDENTITY"));
                }
            } else {
                account_of(db, request.ask.user_no().unwrap_or_default()).await?;
            }
            let token = self.secret();
            let fault = self.faults.strikes(Moment::Page, request.case());
            let patience = if fault == Some(Fault::UserLeaves) { 0 } else { PAGE_SECONDS };
            let expires_at = request.expires_at.min(self.now() + patience);
            self.remember(db, request, "AWAITING_USER", "", &token).await?;
            let sql = "UPDATE request SET expires_at = $1 WHERE request_no = $2";
            store::run(db, sql, [expires_at.into(), request.request_no.clone().into()]).await?;
            if fault == Some(Fault::UserRefuses) {
                self.settle(db, &request.request_no, "CANCELLED", "USER_REFUSED").await?;
            }
            return Ok(Reply::Redirect { url: self.page_url(&token), expires_at });
        }
        self.remember(db, request, "PROCESSING", "", "").await?;
        let status = self.do_or_put_off(db, request, false).await?;
        if status == "FAILED_FOR_NOW" {
            return Ok(Reply::Rejected { code: LATER.into() });
        }
        Ok(Reply::Accepted { custodian_no: custodian_no(&request.request_no), status: status.into() })
    }

    /// Does what was asked and writes down how it stands; where the plan says so, it says that it failed and does it later.
    pub(crate) async fn do_or_put_off(
        &self,
        db: &impl ConnectionTrait,
        request: &Request,
        confirmed: bool,
    ) -> Result<&'static str, Refusal> {
        let fault = self.faults.strikes(Moment::Work, request.case());
        if let Some(Fault::LateSuccess { seconds }) = fault {
            self.put_off(db, "DO", request, confirmed, self.now() + seconds).await?;
            self.settle(db, &request.request_no, "FAILED", LATER).await?;
            return Ok("FAILED_FOR_NOW");
        }
        let status = self.carry_out(db, request, confirmed, fault).await?;
        self.settle(db, &request.request_no, status, "").await?;
        Ok(status)
    }

    async fn put_off(
        &self,
        db: &impl ConnectionTrait,
        kind: &str,
        request: &Request,
        confirmed: bool,
        due_at: i64,
    ) -> Result<(), DbErr> {
        let sql = "INSERT INTO later (kind, request_no, confirmed, due_at) VALUES ($1, $2, $3, $4)";
        let values =
            [kind.into(), request.request_no.clone().into(), i64::from(confirmed).into(), due_at.into()];
        store::run(db, sql, values).await.map(drop)
    }

    /// Does what was put off and is due. Answers how much of it there was.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn do_late(&self) -> Result<usize, Refusal> {
        let sql = "SELECT l.id, l.kind, l.confirmed, r.body FROM later l JOIN request r ON r.request_no = l.request_no
                   WHERE l.done = 0 AND l.due_at <= $1 ORDER BY l.due_at, l.id LIMIT 100";
        let due = store::all(self.db(), sql, [self.now().into()]).await?;
        for row in &due {
            let (id, kind, confirmed): (i64, String, i64) =
                (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            let body: String = row.try_get_by_index(3)?;
            let request: Request = serde_json::from_str(&body).map_err(|e| DbErr::Json(e.to_string()))?;
            let request = &request;
            let outcome = self
                .alone::<(), Refusal, _>(|tx| async move {
                    let db = &*tx;
                    if kind == "RETURN" {
                        self.return_payout(db, request).await?;
                    } else {
                        let status = self.carry_out(db, request, confirmed == 1, None).await?;
                        self.settle(db, &request.request_no, status, "").await?;
                    }
                    store::run(db, "UPDATE later SET done = 1 WHERE id = $1", [id.into()]).await?;
                    Ok(())
                })
                .await;
            match outcome {
                Ok(()) => {}
                Err(Refusal::Broken(e)) => return Err(Refusal::Broken(e)),
                // It has become impossible by now: then it did fail.
                Err(Refusal::Code(_)) => {
                    store::run(self.db(), "UPDATE later SET done = 1 WHERE id = $1", [id.into()]).await?;
                }
            }
        }
        Ok(due.len())
    }

    /// A payout that had left comes back from the user's bank.
    async fn return_payout(&self, db: &impl ConnectionTrait, request: &Request) -> Result<(), Refusal> {
        let Ask::Withdraw { user_no, currency, amount } = &request.ask else { return Ok(()) };
        let account = account_of(db, user_no).await?;
        let m = Move {
            kind: Kind::PayoutReturned,
            source: (&account, Bucket::World),
            target: (&account, Bucket::Available),
            amount: *amount,
            currency,
            request_no: &request.request_no,
            line_no: "",
            freeze_no: "",
            project_no: "",
        };
        shift(db, m, &self.business_date(db).await?, self.now()).await?;
        self.notice(db, &request.request_no, "RETURNED").await?;
        Ok(())
    }

    fn page_url(&self, token: &str) -> String {
        format!("{}/pages/{token}", self.settings.pages_url)
    }

    /// Whether the user's word is missing: always for some, without a fitting consent for others.
    async fn needs_page(&self, db: &impl ConnectionTrait, request: &Request) -> Result<bool, Refusal> {
        Ok(match &request.ask {
            Ask::OpenAccount { .. }
            | Ask::GrantAuthorization { .. }
            | Ask::TopUp { .. }
            | Ask::Withdraw { .. } => true,
            Ask::Freeze { by_hand: true, .. } => true,
            Ask::Freeze { user_no, project_no, purpose, amount, .. } => {
                let project = project_of(db, project_no).await?;
                let account = account_of(db, user_no).await?;
                self.consent(db, &account, *purpose, &project.currency, *amount).await?.is_none()
            }
            _ => false,
        })
    }

    async fn remember(
        &self,
        db: &impl ConnectionTrait,
        request: &Request,
        status: &str,
        code: &str,
        token: &str,
    ) -> Result<(), DbErr> {
        let body = serde_json::to_string(request).map_err(|e| DbErr::Json(e.to_string()))?;
        let sql = "INSERT INTO request (request_no, operation, hash, body, status, code, custodian_no, token, expires_at, at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
        let values = [
            request.request_no.clone().into(),
            request.ask.name().into(),
            hash(request).into(),
            body.into(),
            status.into(),
            code.into(),
            custodian_no(&request.request_no).into(),
            token.into(),
            request.expires_at.into(),
            self.now().into(),
        ];
        store::run(db, sql, values).await.map(drop)
    }

    pub(crate) async fn settle(
        &self,
        db: &impl ConnectionTrait,
        request_no: &str,
        status: &str,
        code: &str,
    ) -> Result<(), DbErr> {
        let sql = "UPDATE request SET status = $1, code = $2, token = '' WHERE request_no = $3";
        store::run(db, sql, [status.into(), code.into(), request_no.into()]).await?;
        self.notice(db, request_no, status).await
    }

    async fn notice(&self, db: &impl ConnectionTrait, request_no: &str, status: &str) -> Result<(), DbErr> {
        let sql = "INSERT INTO notice (request_no, status, due_at) VALUES ($1, $2, $3)";
        store::run(db, sql, [request_no.into(), status.into(), self.now().into()]).await.map(drop)
    }

    /// Does what was asked. `confirmed` when the user has just said so on our page.
    pub(crate) async fn carry_out(
        &self,
        db: &impl ConnectionTrait,
        request: &Request,
        confirmed: bool,
        fault: Option<Fault>,
    ) -> Result<&'static str, Refusal> {
        let no = request.request_no.as_str();
        let day = self.business_date(db).await?;
        let now = self.now();
        let blank = Move {
            kind: Kind::TopUp,
            source: ("", Bucket::World),
            target: ("", Bucket::World),
            amount: 0,
            currency: "",
            request_no: no,
            line_no: "",
            freeze_no: "",
            project_no: "",
        };
        // From where to where the lines of a batch fail, and why.
        let (failing, why) = match fault {
            Some(Fault::Refused) => return Err(Refusal::code("REFUSED")),
            Some(Fault::InsufficientFunds) => return Err(Refusal::code("INSUFFICIENT_FUNDS")),
            Some(Fault::PartialBatch { failing }) => (0..failing, "REFUSED"),
            Some(Fault::ConsentRevoked { after }) => (after..usize::MAX, "CONSENT_REVOKED"),
            _ => (0..0, ""),
        };
        match &request.ask {
            // Opening and granting take what the user typed; the page does them.
            Ask::OpenAccount { .. } => return Err(Refusal::code("USER_NEEDED")),
            Ask::GrantAuthorization { user_no, grants } => {
                let account = account_of(db, user_no).await?;
                for (place, grant) in grants.iter().enumerate() {
                    if grant.per_order <= 0 || grant.total < grant.per_order || grant.expires_at <= now {
                        return Err(Refusal::code("PARAMETER"));
                    }
                    // A newer consent of one kind stands for the older.
                    let sql = "UPDATE consent SET state = 'REPLACED' WHERE account = $1 AND scope = $2 AND currency = $3 AND state = 'ACTIVE'";
                    store::run(
                        db,
                        sql,
                        [account.clone().into(), grant.scope.code().into(), grant.currency.clone().into()],
                    )
                    .await?;
                    let sql = "INSERT INTO consent (no, account, scope, currency, per_order, total, expires_at, state)
                               VALUES ($1, $2, $3, $4, $5, $6, $7, 'ACTIVE')";
                    let values = [
                        format!("{no}.{place}").into(),
                        account.clone().into(),
                        grant.scope.code().into(),
                        grant.currency.clone().into(),
                        grant.per_order.into(),
                        grant.total.into(),
                        grant.expires_at.into(),
                    ];
                    store::run(db, sql, values).await?;
                }
            }
            Ask::TopUp { user_no, currency, amount } => {
                let account = account_of(db, user_no).await?;
                let (source, target) =
                    ((account.as_str(), Bucket::World), (account.as_str(), Bucket::Available));
                shift(
                    db,
                    Move { kind: Kind::TopUp, source, target, amount: *amount, currency, ..blank },
                    &day,
                    now,
                )
                .await?;
            }
            Ask::Withdraw { user_no, currency, amount } => {
                let account = account_of(db, user_no).await?;
                let (source, target) =
                    ((account.as_str(), Bucket::Available), (account.as_str(), Bucket::Payout));
                shift(
                    db,
                    Move { kind: Kind::PayoutAccepted, source, target, amount: *amount, currency, ..blank },
                    &day,
                    now,
                )
                .await?;
                return Ok("PROCESSING");
            }
            Ask::CreateProject { project_no, name, user_no, currency, amount, fee_max } => {
                if *amount <= 0 || *fee_max < 0 || fee_max > amount {
                    return Err(Refusal::code("PARAMETER"));
                }
                let account = account_of(db, user_no).await?;
                let sql = "INSERT INTO project (no, borrower, currency, amount, fee_max, state) VALUES ($1, $2, $3, $4, $5, 'COLLECTING')
                           ON CONFLICT DO NOTHING";
                let values = [
                    project_no.clone().into(),
                    account.into(),
                    currency.clone().into(),
                    (*amount).into(),
                    (*fee_max).into(),
                ];
                if store::run(db, sql, values).await? == 0 {
                    return Err(Refusal::code("PROJECT_EXISTS"));
                }
                let name: String = name.chars().take(NAME_MAX).collect();
                let sql = "INSERT INTO project_name (project, name) VALUES ($1, $2)";
                store::run(db, sql, [project_no.clone().into(), name.into()]).await?;
            }
            Ask::Freeze { user_no, project_no, purpose, amount, .. } => {
                self.freeze(db, blank, no, user_no, project_no, *purpose, *amount, confirmed, &day).await?;
            }
            Ask::FreezeBatch { project_no, purpose, lines } => {
                for line in lines {
                    self.freeze(
                        db,
                        Move { line_no: &line.freeze_no, ..blank.copy() },
                        &line.freeze_no,
                        &line.user_no,
                        project_no,
                        *purpose,
                        line.amount,
                        false,
                        &day,
                    )
                    .await?;
                }
            }
            Ask::Unfreeze { freeze_no } => self.unfreeze(db, blank, freeze_no, &day).await?,
            Ask::UnfreezeBatch { freeze_nos } => {
                for freeze_no in freeze_nos {
                    self.unfreeze(db, Move { line_no: freeze_no, ..blank.copy() }, freeze_no, &day).await?;
                }
            }
            Ask::Disburse { project_no, lines } => {
                let project = project_of(db, project_no).await?;
                let mut settled = 0;
                for (place, line) in lines.iter().enumerate() {
                    let freeze = freeze_of(db, &line.freeze_no).await;
                    let code = match &freeze {
                        Err(Refusal::Code(code)) => code,
                        Err(Refusal::Broken(e)) => return Err(Refusal::Broken(DbErr::Custom(e.to_string()))),
                        Ok(f) if f.project != *project_no || f.purpose != "BID" => "PROJECT_MISMATCH",
                        Ok(f) if f.remaining != line.amount => "FREEZE_AMOUNT",
                        Ok(_) if failing.contains(&place) => why,
                        Ok(_) => "",
                    };
                    let (source, status) = match &freeze {
                        Ok(f) if code.is_empty() => (f.account.clone(), "SUCCESS"),
                        _ => (String::new(), "FAILED"),
                    };
                    if code == "CONSENT_REVOKED"
                        && let Ok(f) = &freeze
                    {
                        revoke_all(db, &f.account).await?;
                    }
                    self.line(
                        db,
                        no,
                        &line.line_no,
                        &line.freeze_no,
                        &source,
                        &project.borrower,
                        line.amount,
                        line.amount,
                        status,
                        code,
                    )
                    .await?;
                    if status == "SUCCESS" {
                        let (from, to) =
                            ((source.as_str(), Bucket::Frozen), (project.borrower.as_str(), Bucket::Blocked));
                        let m = Move {
                            kind: Kind::Disburse,
                            source: from,
                            target: to,
                            amount: line.amount,
                            currency: &project.currency,
                            line_no: &line.line_no,
                            freeze_no: &line.freeze_no,
                            project_no,
                            ..blank.copy()
                        };
                        shift(db, m, &day, now).await?;
                        take_from_freeze(db, &line.freeze_no, line.amount).await?;
                        let sql = "UPDATE project SET frozen = frozen - $1, disbursed = disbursed + $1, state = 'REPAYING' WHERE no = $2";
                        store::run(db, sql, [line.amount.into(), project_no.clone().into()]).await?;
                        let sql = "INSERT INTO holding (project, account, principal) VALUES ($1, $2, $3)
                                   ON CONFLICT (project, account) DO UPDATE SET principal = principal + $3";
                        store::run(db, sql, [project_no.clone().into(), source.into(), line.amount.into()])
                            .await?;
                        settled += 1;
                    }
                }
                return Ok(batch_status(settled, lines.len()));
            }
            Ask::Unblock { project_no, amount } => {
                let project = project_of(db, project_no).await?;
                // Each project frees what it brought, and nothing of another's.
                let sql = "SELECT COALESCE(SUM(CASE kind WHEN 'DISBURSE' THEN amount ELSE -amount END), 0) FROM movement
                           WHERE project_no = $1 AND kind IN ('DISBURSE', 'REVERSE', 'UNBLOCK')";
                let row = store::one(db, sql, [project_no.clone().into()]).await?;
                let blocked: i64 = row.map_or(Ok(0), |r| r.try_get_by_index(0))?;
                if *amount > blocked {
                    return Err(Refusal::code("BLOCKED_AMOUNT"));
                }
                let (source, target) = (
                    (project.borrower.as_str(), Bucket::Blocked),
                    (project.borrower.as_str(), Bucket::Available),
                );
                shift(
                    db,
                    Move {
                        kind: Kind::Unblock,
                        source,
                        target,
                        amount: *amount,
                        currency: &project.currency,
                        project_no,
                        ..blank
                    },
                    &day,
                    now,
                )
                .await?;
            }
            Ask::ReverseLine { batch_no, line_no, amount } => {
                // Only back to the line's own source, and at most what it brought.
                let sql = "UPDATE line SET reversed = reversed + $1 WHERE request_no = $2 AND line_no = $3 AND status = 'SUCCESS' AND reversed + $1 <= amount";
                if *amount <= 0
                    || store::run(
                        db,
                        sql,
                        [(*amount).into(), batch_no.clone().into(), line_no.clone().into()],
                    )
                    .await?
                        == 0
                {
                    return Err(Refusal::code("REVERSAL_EXCEEDS_LINE"));
                }
                let sql = "SELECT l.source, l.target, m.currency, m.project_no FROM line l JOIN movement m ON m.request_no = l.request_no AND m.line_no = l.line_no
                           WHERE l.request_no = $1 AND l.line_no = $2 AND m.kind = 'DISBURSE'";
                let row = store::one(db, sql, [batch_no.clone().into(), line_no.clone().into()])
                    .await?
                    .ok_or(Refusal::code("LINE_NOT_FOUND"))?;
                let (source, target): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                let (currency, project_no): (String, String) =
                    (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
                let (from, to) = ((target.as_str(), Bucket::Blocked), (source.as_str(), Bucket::Available));
                let m = Move {
                    kind: Kind::Reverse,
                    source: from,
                    target: to,
                    amount: *amount,
                    currency: &currency,
                    line_no,
                    project_no: &project_no,
                    ..blank
                };
                shift(db, m, &day, now).await?;
                let sql = "UPDATE project SET disbursed = disbursed - $1 WHERE no = $2";
                store::run(db, sql, [(*amount).into(), project_no.clone().into()]).await?;
                let sql = "UPDATE holding SET principal = principal - $1 WHERE project = $2 AND account = $3";
                store::run(db, sql, [(*amount).into(), project_no.into(), source.into()]).await?;
            }
            Ask::Repay { project_no, freeze_no, lines } => {
                let project = project_of(db, project_no).await?;
                let freeze = freeze_of(db, freeze_no).await?;
                if freeze.project != *project_no
                    || freeze.purpose != "REPAY"
                    || freeze.account != project.borrower
                {
                    return Err(Refusal::code("PROJECT_MISMATCH"));
                }
                let sum = lines
                    .iter()
                    .try_fold(0i64, |sum, l| sum.checked_add(l.amount))
                    .ok_or(Refusal::code("PARAMETER"))?;
                if sum > freeze.remaining
                    || lines.iter().any(|l| l.amount <= 0 || l.principal < 0 || l.principal > l.amount)
                {
                    return Err(Refusal::code("FREEZE_AMOUNT"));
                }
                if why == "CONSENT_REVOKED" {
                    revoke_all(db, &freeze.account).await?;
                }
                let mut settled = 0;
                for (place, line) in lines.iter().enumerate() {
                    let target = match account_of(db, &line.user_no).await {
                        Ok(_) if failing.contains(&place) => Err(why),
                        Ok(account) => Ok(account),
                        Err(Refusal::Code(code)) => Err(code),
                        Err(broken) => return Err(broken),
                    };
                    let held = match &target {
                        Ok(account) => {
                            let sql = "UPDATE holding SET principal = principal - $1 WHERE project = $2 AND account = $3 AND principal >= $1";
                            store::run(
                                db,
                                sql,
                                [line.principal.into(), project_no.clone().into(), account.clone().into()],
                            )
                            .await?
                                == 1
                        }
                        Err(_) => false,
                    };
                    let (status, code) = match (&target, held) {
                        (Err(code), _) => ("FAILED", *code),
                        (_, false) => ("FAILED", "HOLDING"),
                        _ => ("SUCCESS", ""),
                    };
                    let target = target.unwrap_or_default();
                    self.line(
                        db,
                        no,
                        &line.line_no,
                        freeze_no,
                        &project.borrower,
                        &target,
                        line.amount,
                        line.principal,
                        status,
                        code,
                    )
                    .await?;
                    if status == "SUCCESS" {
                        let (from, to) = (
                            (project.borrower.as_str(), Bucket::Frozen),
                            (target.as_str(), Bucket::Available),
                        );
                        let m = Move {
                            kind: Kind::Repay,
                            source: from,
                            target: to,
                            amount: line.amount,
                            currency: &project.currency,
                            line_no: &line.line_no,
                            freeze_no,
                            project_no,
                            ..blank.copy()
                        };
                        shift(db, m, &day, now).await?;
                        take_from_freeze(db, freeze_no, line.amount).await?;
                        settled += 1;
                    }
                }
                return Ok(batch_status(settled, lines.len()));
            }
            Ask::Fee { user_no, project_no, amount } => {
                let account = account_of(db, user_no).await?;
                let project = project_of(db, project_no).await?;
                if account != project.borrower {
                    return Err(Refusal::code("FORBIDDEN_PURPOSE"));
                }
                let sql = "UPDATE project SET fee_taken = fee_taken + $1 WHERE no = $2 AND fee_taken + $1 <= fee_max";
                if store::run(db, sql, [(*amount).into(), project_no.clone().into()]).await? == 0 {
                    return Err(Refusal::code("OVER_FEE_MAX"));
                }
                self.use_consent(db, &account, Scope::Fee, &project.currency, *amount).await?;
                let (source, target) =
                    ((account.as_str(), Bucket::Available), (PLATFORM_INCOME, Bucket::Available));
                let m = Move {
                    kind: Kind::Fee,
                    source,
                    target,
                    amount: *amount,
                    currency: &project.currency,
                    project_no,
                    ..blank
                };
                shift(db, m, &day, now).await?;
            }
            Ask::PlatformFunds { currency, amount } => {
                let own = crate::bank::PLATFORM_OWN;
                let (source, target) = ((own, Bucket::World), (own, Bucket::Available));
                shift(
                    db,
                    Move { kind: Kind::TopUp, source, target, amount: *amount, currency, ..blank },
                    &day,
                    now,
                )
                .await?;
            }
        }
        Ok("SUCCESS")
    }

    #[allow(clippy::too_many_arguments)]
    async fn freeze(
        &self,
        db: &impl ConnectionTrait,
        blank: Move<'_>,
        freeze_no: &str,
        user_no: &str,
        project_no: &str,
        purpose: Scope,
        amount: i64,
        confirmed: bool,
        day: &str,
    ) -> Result<(), Refusal> {
        let account = account_of(db, user_no).await?;
        let project = project_of(db, project_no).await?;
        match purpose {
            Scope::Bid => {
                if account == project.borrower {
                    return Err(Refusal::code("OWN_PROJECT"));
                }
                // The custodian watches the project's limit itself.
                let sql = "UPDATE project SET frozen = frozen + $1 WHERE no = $2 AND frozen + disbursed + $1 <= amount AND disbursed = 0";
                if store::run(db, sql, [amount.into(), project_no.into()]).await? == 0 {
                    return Err(Refusal::code("PROJECT_FULL"));
                }
            }
            Scope::Repay if account != project.borrower => return Err(Refusal::code("PROJECT_MISMATCH")),
            Scope::Repay => {}
            Scope::Fee => return Err(Refusal::code("PARAMETER")),
        }
        if !confirmed {
            self.use_consent(db, &account, purpose, &project.currency, amount).await?;
        }
        let (source, target) = ((account.as_str(), Bucket::Available), (account.as_str(), Bucket::Frozen));
        let m = Move {
            kind: Kind::Freeze,
            source,
            target,
            amount,
            currency: &project.currency,
            freeze_no,
            project_no,
            ..blank
        };
        shift(db, m, day, self.now()).await?;
        let sql = "INSERT INTO freeze (no, account, project, purpose, currency, amount, remaining) VALUES ($1, $2, $3, $4, $5, $6, $6)";
        let values = [
            freeze_no.into(),
            account.clone().into(),
            project_no.into(),
            purpose.code().into(),
            project.currency.clone().into(),
            amount.into(),
        ];
        store::run(db, sql, values).await?;
        Ok(())
    }

    async fn unfreeze(
        &self,
        db: &impl ConnectionTrait,
        blank: Move<'_>,
        freeze_no: &str,
        day: &str,
    ) -> Result<(), Refusal> {
        let freeze = freeze_of(db, freeze_no).await?;
        if freeze.remaining == 0 {
            return Err(Refusal::code("FREEZE_ENDED"));
        }
        let (source, target) =
            ((freeze.account.as_str(), Bucket::Frozen), (freeze.account.as_str(), Bucket::Available));
        let m = Move {
            kind: Kind::Unfreeze,
            source,
            target,
            amount: freeze.remaining,
            currency: &freeze.currency,
            freeze_no,
            project_no: &freeze.project,
            ..blank
        };
        shift(db, m, day, self.now()).await?;
        take_from_freeze(db, freeze_no, freeze.remaining).await?;
        if freeze.purpose == "BID" {
            let sql = "UPDATE project SET frozen = frozen - $1 WHERE no = $2";
            store::run(db, sql, [freeze.remaining.into(), freeze.project.into()]).await?;
        }
        Ok(())
    }

    async fn line(
        &self,
        db: &impl ConnectionTrait,
        no: &str,
        line_no: &str,
        freeze_no: &str,
        source: &str,
        target: &str,
        amount: i64,
        principal: i64,
        status: &str,
        code: &str,
    ) -> Result<(), DbErr> {
        let sql = "INSERT INTO line (request_no, line_no, freeze_no, source, target, amount, principal, status, code)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = [
            no.into(),
            line_no.into(),
            freeze_no.into(),
            source.into(),
            target.into(),
            amount.into(),
            principal.into(),
            status.into(),
            code.into(),
        ];
        store::run(db, sql, values).await.map(drop)
    }

    /// The consent under which an order of this size may go, if there is one.
    async fn consent(
        &self,
        db: &impl ConnectionTrait,
        account: &str,
        scope: Scope,
        currency: &str,
        amount: i64,
    ) -> Result<Option<String>, DbErr> {
        let sql =
            "SELECT no FROM consent WHERE account = $1 AND scope = $2 AND currency = $3 AND state = 'ACTIVE'
                   AND expires_at > $4 AND per_order >= $5 AND total - used >= $5 LIMIT 1";
        let values = [account.into(), scope.code().into(), currency.into(), self.now().into(), amount.into()];
        store::one(db, sql, values).await?.map(|r| r.try_get_by_index(0)).transpose()
    }

    async fn use_consent(
        &self,
        db: &impl ConnectionTrait,
        account: &str,
        scope: Scope,
        currency: &str,
        amount: i64,
    ) -> Result<(), Refusal> {
        let no =
            self.consent(db, account, scope, currency, amount).await?.ok_or(Refusal::code("NO_CONSENT"))?;
        store::run(db, "UPDATE consent SET used = used + $1 WHERE no = $2", [amount.into(), no.into()])
            .await?;
        Ok(())
    }

    /// What became of a request, or nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn query(&self, request_no: &str) -> Result<Option<Found>, DbErr> {
        self.expire_page(request_no).await?;
        let sql = "SELECT status, code, custodian_no FROM request WHERE request_no = $1";
        let Some(row) = store::one(self.db(), sql, [request_no.into()]).await? else { return Ok(None) };
        let mut lines = Vec::new();
        for r in store::all(
            self.db(),
            "SELECT line_no, status, code FROM line WHERE request_no = $1 ORDER BY line_no",
            [request_no.into()],
        )
        .await?
        {
            lines.push(FoundLine {
                line_no: r.try_get_by_index(0)?,
                status: r.try_get_by_index(1)?,
                code: r.try_get_by_index(2)?,
            });
        }
        Ok(Some(Found {
            status: row.try_get_by_index(0)?,
            code: row.try_get_by_index(1)?,
            custodian_no: row.try_get_by_index(2)?,
            lines,
        }))
    }

    /// A page nobody came to in time is over.
    async fn expire_page(&self, request_no: &str) -> Result<(), DbErr> {
        let now = self.now();
        self.alone::<(), DbErr, _>(|tx| async move {
            let sql = "SELECT 1 FROM request WHERE request_no = $1 AND status = 'AWAITING_USER' AND expires_at <= $2";
            if store::one(&*tx, sql, [request_no.into(), now.into()]).await?.is_some() {
                self.settle(&*tx, request_no, "EXPIRED", "USER_LEFT").await?;
            }
            Ok(())
        })
        .await
    }
}

/// A user takes back all they allowed.
async fn revoke_all(db: &impl ConnectionTrait, account: &str) -> Result<(), DbErr> {
    let sql = "UPDATE consent SET state = 'REVOKED' WHERE account = $1 AND state = 'ACTIVE'";
    store::run(db, sql, [account.into()]).await.map(drop)
}

/// Ends a payout: to the world, or back to available when the user's bank refuses.
pub(crate) async fn pay_out(bank: &Bank, db: &impl ConnectionTrait, request_no: &str) -> Result<(), Refusal> {
    let row = store::one(
        db,
        "SELECT body FROM request WHERE request_no = $1 AND status = 'PROCESSING'",
        [request_no.into()],
    )
    .await?;
    let Some(row) = row else { return Ok(()) };
    let request: Request =
        serde_json::from_str(&row.try_get_by_index::<String>(0)?).map_err(|e| DbErr::Json(e.to_string()))?;
    let Ask::Withdraw { user_no, currency, amount } = &request.ask else { return Ok(()) };
    let account = account_of(db, user_no).await?;
    let fault = bank.faults.strikes(Moment::Payout, request.case());
    let to = if fault == Some(Fault::PayoutRefused) { Bucket::Available } else { Bucket::World };
    if let Some(Fault::PayoutReturned { seconds }) = fault {
        bank.put_off(db, "RETURN", &request, true, bank.now() + seconds).await?;
    }
    let kind = if to == Bucket::World { Kind::PayoutPaid } else { Kind::PayoutFailed };
    let m = Move {
        kind,
        source: (&account, Bucket::Payout),
        target: (&account, to),
        amount: *amount,
        currency,
        request_no,
        line_no: "",
        freeze_no: "",
        project_no: "",
    };
    shift(db, m, &bank.business_date(db).await?, bank.now()).await?;
    let (status, code) = if to == Bucket::World { ("SUCCESS", "") } else { ("FAILED", "BANK_REFUSED") };
    bank.settle(db, request_no, status, code).await?;
    Ok(())
}

impl Move<'_> {
    fn copy(&self) -> Self {
        Move { ..*self }
    }
}

fn hash(request: &Request) -> String {
    hex::encode(Sha256::digest(serde_json::to_vec(request).unwrap_or_default()))
}

fn custodian_no(request_no: &str) -> String {
    format!("HC-{}", request_no.get(..13).unwrap_or(request_no))
}

fn batch_status(settled: usize, of: usize) -> &'static str {
    match settled {
        0 => "FAILED",
        n if n == of => "SUCCESS",
        _ => "PARTIAL",
    }
}

pub(crate) async fn account_of(db: &impl ConnectionTrait, user_no: &str) -> Result<String, Refusal> {
    let row =
        store::one(db, "SELECT no FROM account WHERE user_no = $1 AND state = 'ACTIVE'", [user_no.into()])
            .await?;
    Ok(row.ok_or(Refusal::code("ACCOUNT_NOT_FOUND"))?.try_get_by_index(0)?)
}

pub(crate) struct Project {
    pub(crate) borrower: String,
    pub(crate) currency: String,
}

pub(crate) async fn project_of(db: &impl ConnectionTrait, no: &str) -> Result<Project, Refusal> {
    let row = store::one(db, "SELECT borrower, currency FROM project WHERE no = $1", [no.into()])
        .await?
        .ok_or(Refusal::code("PROJECT_NOT_FOUND"))?;
    Ok(Project { borrower: row.try_get_by_index(0)?, currency: row.try_get_by_index(1)? })
}

struct Freeze {
    account: String,
    project: String,
    purpose: String,
    currency: String,
    remaining: i64,
}

async fn freeze_of(db: &impl ConnectionTrait, no: &str) -> Result<Freeze, Refusal> {
    let sql = "SELECT account, project, purpose, currency, remaining FROM freeze WHERE no = $1";
    let row = store::one(db, sql, [no.into()]).await?.ok_or(Refusal::code("FREEZE_NOT_FOUND"))?;
    Ok(Freeze {
        account: row.try_get_by_index(0)?,
        project: row.try_get_by_index(1)?,
        purpose: row.try_get_by_index(2)?,
        currency: row.try_get_by_index(3)?,
        remaining: row.try_get_by_index(4)?,
    })
}

async fn take_from_freeze(db: &impl ConnectionTrait, no: &str, amount: i64) -> Result<(), DbErr> {
    store::run(db, "UPDATE freeze SET remaining = remaining - $1 WHERE no = $2", [amount.into(), no.into()])
        .await
        .map(drop)
}
