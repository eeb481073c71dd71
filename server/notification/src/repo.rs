//! Notification's tables.

use crate::post::Message;
use crate::tidings::Tiding;
use chrono::{DateTime, Utc};
use entity_notification::{mail, notice};
use finance::{Currency, Money};
use kernel::id::{NoticeId, PartyId};
use notification_api::{BoxView, MailView, NoticeKind, NoticeView};
use platform::db::{Sql, Tx};
use platform::page::{self, Order, Page};
use platform::setwise::{self, Column};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// How many kept messages are shown.
const MAILS: u64 = 100;

/// All that one event has to say, in one statement: a repayment may be told to thousands.
pub(crate) async fn insert_notices(
    tx: &Tx,
    notices: &[(NoticeId, &Tiding)],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let currency = |t: &Tiding| t.amount.map_or(String::new(), |a| a.currency().code().to_string());
    let columns = vec![
        Column::Id(notices.iter().map(|(id, _)| id.0).collect()),
        Column::Id(notices.iter().map(|(_, t)| t.party.0).collect()),
        Column::Text(notices.iter().map(|(_, t)| t.kind.code().to_string()).collect()),
        Column::Id(notices.iter().map(|(_, t)| t.subject).collect()),
        Column::OptionalInt(notices.iter().map(|(_, t)| t.amount.map(Money::minor)).collect()),
        Column::Text(notices.iter().map(|(_, t)| currency(t)).collect()),
    ];
    let (rows, mut values) = setwise::rows(tx, 2, columns);
    values.insert(0, now.into());
    let sql = format!(
        "INSERT INTO notification_notice (id, party, kind, subject, minor, currency, at)
         SELECT c0, c1, c2, c3, c4, NULLIF(c5, ''), $1 FROM {rows} WHERE true ON CONFLICT DO NOTHING"
    );
    tx.run(sql, values).await.map(drop)
}

pub(crate) async fn maybe_notice(
    db: &impl ConnectionTrait,
    id: NoticeId,
) -> Result<Option<notice::Model>, DbErr> {
    notice::Entity::find_by_id(id.0).one(db).await
}

pub(crate) fn amount(row: &notice::Model) -> Result<Option<Money>, DbErr> {
    let (Some(minor), Some(code)) = (row.minor, &row.currency) else { return Ok(None) };
    let currency = code.parse::<Currency>();
    currency
        .map(|c| Some(Money::new(minor, c)))
        .map_err(|_| DbErr::Type(format!("the currency of notice {}", row.id)))
}

pub(crate) async fn notices(
    db: &impl ConnectionTrait,
    party: PartyId,
    page: &Page,
) -> Result<Vec<NoticeView>, DbErr> {
    let read_at = read_at(db, party).await?;
    let find = notice::Entity::find().filter(notice::Column::Party.eq(party.0));
    let rows =
        page::rows(db, find, (notice::Column::At, notice::Column::Id), Order::Descending, page).await?;
    let view = |row: notice::Model| {
        // A kind of a later version is passed over.
        let kind = NoticeKind::from_code(&row.kind)?;
        Some(amount(&row).map(|amount| NoticeView {
            id: NoticeId(row.id),
            kind,
            subject: row.subject,
            amount,
            unread: read_at.is_none_or(|read| row.at > read),
            at: row.at,
        }))
    };
    rows.into_iter().filter_map(view).collect()
}

async fn read_at(db: &impl ConnectionTrait, party: PartyId) -> Result<Option<DateTime<Utc>>, DbErr> {
    let row = db.one("SELECT read_at FROM notification_reader WHERE party = $1", [party.0.into()]).await?;
    row.map_or(Ok(None), |r| r.try_get_by_index(0))
}

pub(crate) async fn standing(db: &impl ConnectionTrait, party: PartyId) -> Result<BoxView, DbErr> {
    let sql = "SELECT (SELECT COUNT(*) FROM notification_notice n WHERE n.party = $1
                       AND n.at > COALESCE((SELECT read_at FROM notification_reader WHERE party = $1), $2)),
                      COALESCE((SELECT mail FROM notification_reader WHERE party = $1), $3)";
    let values = [party.0.into(), DateTime::<Utc>::UNIX_EPOCH.into(), true.into()];
    let row = db.one(sql, values).await?.ok_or_else(|| DbErr::Custom("no count".into()))?;
    let unread: i64 = row.try_get_by_index(0)?;
    Ok(BoxView { unread: u32::try_from(unread).unwrap_or(u32::MAX), mail: row.try_get_by_index(1)? })
}

/// False when one had read as far before.
pub(crate) async fn mark_read(tx: &Tx, party: PartyId, up_to: DateTime<Utc>) -> Result<bool, DbErr> {
    let sql = "INSERT INTO notification_reader (party, read_at, mail) VALUES ($1, $2, $3)
               ON CONFLICT (party) DO UPDATE SET read_at = excluded.read_at
               WHERE notification_reader.read_at IS NULL OR notification_reader.read_at < excluded.read_at";
    Ok(tx.run(sql, [party.0.into(), up_to.into(), true.into()]).await?.rows_affected() == 1)
}

pub(crate) async fn choose_mail(tx: &Tx, party: PartyId, mail: bool) -> Result<(), DbErr> {
    let sql = "INSERT INTO notification_reader (party, read_at, mail) VALUES ($1, NULL, $2)
               ON CONFLICT (party) DO UPDATE SET mail = excluded.mail";
    tx.run(sql, [party.0.into(), mail.into()]).await.map(drop)
}

pub(crate) async fn keep_mail(tx: &Tx, message: &Message, now: DateTime<Utc>) -> Result<(), DbErr> {
    let sql = "INSERT INTO notification_mail (id, recipient, subject, text, at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT DO NOTHING";
    let values = [
        message.id.into(),
        message.to.clone().into(),
        message.subject.clone().into(),
        message.text.clone().into(),
        now.into(),
    ];
    tx.run(sql, values).await.map(drop)
}

pub(crate) async fn mails(db: &impl ConnectionTrait) -> Result<Vec<MailView>, DbErr> {
    let rows = mail::Entity::find()
        .order_by_desc(mail::Column::At)
        .order_by_desc(mail::Column::Id)
        .limit(MAILS)
        .all(db)
        .await?;
    let view =
        |m: mail::Model| MailView { id: m.id, to: m.recipient, subject: m.subject, text: m.text, at: m.at };
    Ok(rows.into_iter().map(view).collect())
}
