//! The custodian as a running thing: its books, keys, clock, and the one lock under which everything happens.

use crate::books::{self, MovementView};
use crate::fault::Faults;
use crate::notify::Post;
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
use std::sync::{Arc, RwLock};
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
    /// Ends the process at once, where it is the custodian's own.
    pub crash: Option<fn()>,
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
    /// With which it signs now.
    seal: RwLock<Seal>,
    /// How notifications go out, once somebody has said.
    post: RwLock<Option<Post>>,
}

/// A signing key and its name.
#[derive(Clone)]
pub(crate) struct Seal {
    pub(crate) key: SigningKey,
    pub(crate) key_id: String,
}

/// A key that the one before vouches for: its signature over [`KeyLine::vouched`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyLine {
    pub key_id: String,
    /// 32 bytes in hexadecimal.
    pub public: String,
    /// Unix seconds; from then on the key before signs nothing more.
    pub since: i64,
    /// Base64.
    pub voucher: String,
}

impl KeyLine {
    /// What the key before signs.
    fn vouched(key_id: &str, public: &str, since: i64) -> String {
        format!("key {key_id} {public} since {since}")
    }
}

/// What a user allows.
#[derive(Serialize, Debug)]
pub struct Consents {
    /// Where the user manages it.
    pub url: String,
    /// Of their account here.
    pub account_no: String,
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
        let first = Seal { key: settings.key.clone(), key_id: settings.key_id.clone() };
        let sql = "SELECT key_id, seed FROM signing_key ORDER BY number DESC LIMIT 1";
        let seal = match store::one(&db, sql, []).await? {
            Some(row) => {
                let seed = hex::decode(row.try_get_by_index::<String>(1)?).ok();
                let seed = seed.and_then(|s| <[u8; 32]>::try_from(s).ok());
                let seed = seed.ok_or_else(|| DbErr::Type("a signing key".into()))?;
                Seal { key: SigningKey::from_bytes(&seed), key_id: row.try_get_by_index(0)? }
            }
            None => first,
        };
        Ok(Arc::new(Bank {
            settings,
            db,
            turn: Mutex::new(()),
            faults: Faults::default(),
            seal: RwLock::new(seal),
            post: RwLock::default(),
        }))
    }

    pub(crate) fn seal(&self) -> Seal {
        self.seal.read().unwrap_or_else(|p| p.into_inner()).clone()
    }

    /// Says how notifications go out.
    pub fn carry_by(&self, post: Post) {
        *self.post.write().unwrap_or_else(|p| p.into_inner()) = Some(post);
    }

    pub(crate) fn post(&self) -> Option<Post> {
        self.post.read().unwrap_or_else(|p| p.into_inner()).clone()
    }

    /// Takes a new signing key into use; the present one vouches for it with its last signature.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rotate_key(&self) -> Result<(), DbErr> {
        let _turn = self.turn.lock().await;
        let mut seed = [0; 32];
        (self.settings.chance)(&mut seed);
        let (old, key, since) = (self.seal(), SigningKey::from_bytes(&seed), self.now());
        let rows = store::one(&self.db, "SELECT COUNT(*) FROM signing_key", []).await?;
        let number: i64 = rows.map_or(Ok(0), |r| r.try_get_by_index(0))?;
        // The first is the one it was founded with.
        let key_id = format!("{}-{}", self.settings.key_id, number + 2);
        let public = hex::encode(key.verifying_key().to_bytes());
        let vouched = KeyLine::vouched(&key_id, &public, since);
        let voucher = STANDARD.encode(old.key.sign(vouched.as_bytes()).to_bytes());
        let sql = "INSERT INTO signing_key (key_id, seed, since, voucher) VALUES ($1, $2, $3, $4)";
        let values = [key_id.clone().into(), hex::encode(seed).into(), since.into(), voucher.into()];
        store::run(&self.db, sql, values).await?;
        *self.seal.write().unwrap_or_else(|p| p.into_inner()) = Seal { key, key_id };
        Ok(())
    }

    /// The keys after the one it was founded with, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keys(&self) -> Result<Vec<KeyLine>, DbErr> {
        let sql = "SELECT key_id, seed, since, voucher FROM signing_key ORDER BY number";
        let rows = store::all(&self.db, sql, []).await?;
        rows.iter()
            .map(|r| {
                let seed = hex::decode(r.try_get_by_index::<String>(1)?).ok();
                let seed = seed.and_then(|s| <[u8; 32]>::try_from(s).ok());
                let seed = seed.ok_or_else(|| DbErr::Type("a signing key".into()))?;
                let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
                Ok(KeyLine {
                    key_id: r.try_get_by_index(0)?,
                    public: hex::encode(public),
                    since: r.try_get_by_index(2)?,
                    voucher: r.try_get_by_index(3)?,
                })
            })
            .collect()
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
        let Seal { key, key_id } = self.seal();
        let signature = STANDARD.encode(key.sign(text.as_bytes()).to_bytes());
        Signed { text, key_id, signature }
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
        Ok(Consents { url: format!("{}/account?no={no}", self.settings.pages_url), account_no: no, consents })
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

    /// Does what was put off and is due, and pays out what users withdrew; the bank behind us does so between two steps.
    /// Answers how much there was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn catch_up(&self) -> Result<usize, Refusal> {
        let sql = "SELECT request_no FROM request WHERE operation = 'withdraw' AND status = 'PROCESSING' ORDER BY at LIMIT 100";
        let waiting = store::all(&self.db, sql, []).await?;
        for row in &waiting {
            let request_no: String = row.try_get_by_index(0)?;
            self.alone::<(), Refusal, _>(|tx| async move {
                crate::operation::pay_out(self, &*tx, &request_no).await
            })
            .await?;
        }
        Ok(waiting.len() + self.do_late().await?)
    }

    pub async fn close(&self) {
        let _turn = self.turn.lock().await;
        self.db.clone().close().await.ok();
    }
}
