//! The custodian as a running thing: its books, keys, clock, and the one lock under which everything happens.

use crate::books::{self, Bucket, MovementView};
use crate::fault::Faults;
use crate::operation::Refusal;
use crate::store;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Unix seconds.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;
pub type Chance = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What a custodian is started with.
#[derive(Clone)]
pub struct Settings {
    /// Its name in the platform's books.
    pub name: String,
    pub file: PathBuf,
    /// The authority that messages to it are signed for, as `127.0.0.1:9090`.
    pub authority: String,
    /// Where its pages are, as the user's browser reaches them.
    pub pages_url: String,
    /// Where its pages lead back to.
    pub platform_url: String,
    /// Where notifications go; none are sent without it.
    pub notify_url: Option<String>,
    pub key: SigningKey,
    pub key_id: String,
    pub platform_key: VerifyingKey,
    pub platform_key_id: String,
    pub now: Now,
    pub chance: Chance,
    /// The first business date.
    pub first_day: NaiveDate,
    /// Lets the date be moved and faults be planned, by whoever can reach the door.
    pub sandbox: bool,
}

/// The platform's own accounts here; client money enters them as a fee only.
pub const PLATFORM_INCOME: &str = "platform-income";
pub const PLATFORM_OWN: &str = "platform-own";

pub struct Bank {
    pub(crate) settings: Settings,
    db: DatabaseConnection,
    /// One at a time, as in a counting-house.
    turn: Mutex<()>,
    pub faults: Faults,
}

/// What a user allows.
#[derive(Serialize, Debug)]
pub struct Consents {
    /// Where the user manages it.
    pub url: String,
    pub consents: Vec<ConsentLine>,
}

#[derive(Serialize, Debug)]
pub struct ConsentLine {
    pub scope: String,
    pub currency: String,
    pub per_order: i64,
    pub total: i64,
    pub used: i64,
    pub expires_at: i64,
}

/// Balances of one account in one currency, in minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatementLine {
    pub user_no: String,
    pub kind: String,
    pub currency: String,
    pub available: i64,
    pub frozen: i64,
    pub blocked: i64,
    pub payout: i64,
}

/// A freeze with something left in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FreezeLine {
    pub freeze_no: String,
    pub user_no: String,
    pub project_no: String,
    pub purpose: String,
    pub currency: String,
    pub remaining: i64,
}

/// All balances at a position.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Statement {
    pub custodian: String,
    /// The last movement it contains.
    pub position: i64,
    pub business_date: String,
    pub at: i64,
    pub balances: Vec<StatementLine>,
    pub freezes: Vec<FreezeLine>,
    /// Fees taken in all, by currency: what the platform's income account must hold.
    pub fees: Vec<(String, i64)>,
}

/// A text with a signature over its bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed {
    pub text: String,
    pub key_id: String,
    pub signature: String,
}

impl Bank {
    /// Opens the books.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn open(settings: Settings) -> Result<Arc<Bank>, DbErr> {
        let db = store::open(&settings.file).await?;
        let first_day = settings.first_day.to_string();
        store::run(
            &db,
            "INSERT INTO setting (name, value) VALUES ('business_date', $1) ON CONFLICT DO NOTHING",
            [first_day.into()],
        )
        .await?;
        for (user_no, kind) in [(PLATFORM_INCOME, "PLATFORM_INCOME"), (PLATFORM_OWN, "PLATFORM_OWN")] {
            let sql = "INSERT INTO account (no, user_no, kind, name, bank_account, password, state)
                       VALUES ($1, $1, $2, 'The platform', '', '', 'ACTIVE') ON CONFLICT DO NOTHING";
            store::run(&db, sql, [user_no.into(), kind.into()]).await?;
        }
        Ok(Arc::new(Bank { settings, db, turn: Mutex::new(()), faults: Faults::default() }))
    }

    pub(crate) fn now(&self) -> i64 {
        (self.settings.now)()
    }

    /// A secret of 128 bits.
    pub(crate) fn secret(&self) -> String {
        let mut bytes = [0; 16];
        (self.settings.chance)(&mut bytes);
        hex::encode(bytes)
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Does something in its turn, wholly or not at all.
    pub(crate) async fn alone<T, E: From<DbErr>, W>(
        &self,
        work: impl FnOnce(Arc<DatabaseTransaction>) -> W,
    ) -> Result<T, E>
    where
        W: Future<Output = Result<T, E>>,
    {
        let _turn = self.turn.lock().await;
        // Immediate: a transaction that reads first and writes later would lose its snapshot to another writer.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = Arc::new(self.db.begin_with_options(options).await?);
        let outcome = work(tx.clone()).await;
        let tx = Arc::into_inner(tx).ok_or_else(|| DbErr::Custom("a transaction is still in use".into()))?;
        match outcome {
            Ok(value) => {
                tx.commit().await?;
                Ok(value)
            }
            Err(e) => {
                tx.rollback().await?;
                Err(e)
            }
        }
    }

    pub(crate) async fn business_date(&self, db: &impl ConnectionTrait) -> Result<String, DbErr> {
        let row = store::one(db, "SELECT value FROM setting WHERE name = 'business_date'", []).await?;
        row.ok_or_else(|| DbErr::Custom("no business date".into()))?.try_get_by_index(0)
    }

    /// Moves the custodian's business date; only forwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn advance(&self, to: NaiveDate) -> Result<(), DbErr> {
        let sql = "UPDATE setting SET value = $1 WHERE name = 'business_date' AND value < $1";
        store::run(&self.db, sql, [to.to_string().into()]).await.map(drop)
    }

    /// Movements after a number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn movements(&self, after: i64, limit: i64) -> Result<Vec<MovementView>, DbErr> {
        books::movements(&self.db, after, limit.clamp(1, 1_000)).await
    }

    pub(crate) fn sign(&self, text: String) -> Signed {
        let signature = STANDARD.encode(self.settings.key.sign(text.as_bytes()).to_bytes());
        Signed { text, key_id: self.settings.key_id.clone(), signature }
    }

    /// What a user allows at present, and where they see and revoke it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consents(&self, user_no: &str) -> Result<Consents, DbErr> {
        let sql = "SELECT c.scope, c.currency, c.per_order, c.total, c.used, c.expires_at
                   FROM consent c JOIN account a ON a.no = c.account
                   WHERE a.user_no = $1 AND c.state = 'ACTIVE' AND c.expires_at > $2 ORDER BY c.scope, c.currency";
        let mut consents = Vec::new();
        for r in store::all(&self.db, sql, [user_no.into(), self.now().into()]).await? {
            consents.push(ConsentLine {
                scope: r.try_get_by_index(0)?,
                currency: r.try_get_by_index(1)?,
                per_order: r.try_get_by_index(2)?,
                total: r.try_get_by_index(3)?,
                used: r.try_get_by_index(4)?,
                expires_at: r.try_get_by_index(5)?,
            });
        }
        let no = store::one(&self.db, "SELECT no FROM account WHERE user_no = $1", [user_no.into()]).await?;
        let no: String = no.map_or(Ok(String::new()), |r| r.try_get_by_index(0))?;
        Ok(Consents { url: format!("{}/account?no={no}", self.settings.pages_url), consents })
    }

    /// All balances now, signed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn statement(&self) -> Result<Signed, DbErr> {
        let _turn = self.turn.lock().await;
        let db = &self.db;
        let position = store::one(db, "SELECT COALESCE(MAX(number), 0) FROM movement", []).await?;
        let position: i64 = position.map_or(Ok(0), |r| r.try_get_by_index(0))?;
        let sql = "SELECT a.user_no, a.kind, b.currency, b.available, b.frozen, b.blocked, b.payout
                   FROM balance b JOIN account a ON a.no = b.account ORDER BY a.user_no, b.currency";
        let mut balances = Vec::new();
        for r in store::all(db, sql, []).await? {
            balances.push(StatementLine {
                user_no: r.try_get_by_index(0)?,
                kind: r.try_get_by_index(1)?,
                currency: r.try_get_by_index(2)?,
                available: r.try_get_by_index(3)?,
                frozen: r.try_get_by_index(4)?,
                blocked: r.try_get_by_index(5)?,
                payout: r.try_get_by_index(6)?,
            });
        }
        let sql = "SELECT f.no, a.user_no, f.project, f.purpose, f.currency, f.remaining
                   FROM freeze f JOIN account a ON a.no = f.account WHERE f.remaining > 0 ORDER BY f.no";
        let mut freezes = Vec::new();
        for r in store::all(db, sql, []).await? {
            freezes.push(FreezeLine {
                freeze_no: r.try_get_by_index(0)?,
                user_no: r.try_get_by_index(1)?,
                project_no: r.try_get_by_index(2)?,
                purpose: r.try_get_by_index(3)?,
                currency: r.try_get_by_index(4)?,
                remaining: r.try_get_by_index(5)?,
            });
        }
        let mut fees = Vec::new();
        for r in store::all(
            db,
            "SELECT currency, SUM(amount) FROM movement WHERE kind = 'FEE' GROUP BY currency",
            [],
        )
        .await?
        {
            fees.push((r.try_get_by_index(0)?, r.try_get_by_index(1)?));
        }
        let statement = Statement {
            custodian: self.settings.name.clone(),
            position,
            business_date: self.business_date(db).await?,
            at: self.now(),
            balances,
            freezes,
            fees,
        };
        Ok(self.sign(serde_json::to_string(&statement).map_err(|e| DbErr::Json(e.to_string()))?))
    }

    /// Keeps what the platform wants to be held to later: the head of its ledger's chain.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_anchor(&self, body: &str) -> Result<(), DbErr> {
        store::run(
            &self.db,
            "INSERT INTO anchor (at, body) VALUES ($1, $2)",
            [self.now().into(), body.into()],
        )
        .await
        .map(drop)
    }

    /// The last anchor kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn anchor(&self) -> Result<Option<String>, DbErr> {
        let row =
            store::one(&self.db, "SELECT body FROM anchor ORDER BY at DESC, rowid DESC LIMIT 1", []).await?;
        row.map(|r| r.try_get_by_index(0)).transpose()
    }

    /// Pays out what users withdrew; the bank behind us does so between two steps.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pay_out(&self) -> Result<usize, Refusal> {
        let sql = "SELECT request_no FROM request WHERE operation = 'withdraw' AND status = 'PROCESSING' ORDER BY at LIMIT 100";
        let waiting = store::all(&self.db, sql, []).await?;
        for row in &waiting {
            let request_no: String = row.try_get_by_index(0)?;
            self.alone::<(), Refusal, _>(|tx| async move {
                crate::operation::pay_out(self, &*tx, &request_no, Bucket::World).await
            })
            .await?;
        }
        Ok(waiting.len())
    }

    pub async fn close(&self) {
        let _turn = self.turn.lock().await;
        self.db.clone().close().await.ok();
    }
}
