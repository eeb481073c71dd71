//! Identity's tables.

use chrono::{DateTime, Utc};
use entity_identity::{change, client, factor, invitation, letter, party, role, session};
use identity_api::{FindParties, Language, PartyView};
use kernel::call::Role;
use kernel::id::{ClientId, LetterId, PartyId, PersonId, RequestId, SessionId};
use platform::db::{Sql, Tx};
use platform::page;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(crate) async fn party_by_email(
    db: &impl ConnectionTrait,
    email: &str,
) -> Result<Option<party::Model>, DbErr> {
    party::Entity::find().filter(party::Column::Email.eq(email)).one(db).await
}

pub(crate) async fn maybe_party(
    db: &impl ConnectionTrait,
    id: PartyId,
) -> Result<Option<party::Model>, DbErr> {
    party::Entity::find_by_id(id.0).one(db).await
}

/// The party with its row locked: what is decided about its password is decided one after the other.
pub(crate) async fn lock_party(tx: &Tx, id: PartyId) -> Result<Option<party::Model>, DbErr> {
    tx.one(format!("SELECT id FROM identity_party WHERE id = $1{}", tx.for_update()), [id.0.into()]).await?;
    maybe_party(tx, id).await
}

pub(crate) async fn parties(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<party::Model>, DbErr> {
    let (list, values) = platform::setwise::ids(db, 1, ids);
    let rows =
        db.all(format!("SELECT id FROM identity_party WHERE id IN {list} ORDER BY id"), values).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.extend(maybe_party(db, PartyId(row.try_get_by_index(0)?)).await?);
    }
    Ok(found)
}

pub(crate) async fn find_parties(
    db: &impl ConnectionTrait,
    ask: &FindParties,
) -> Result<Vec<party::Model>, DbErr> {
    let sought = Condition::any()
        .add(page::contains(party::Column::Name, &ask.text))
        .add(page::contains(party::Column::Email, &ask.text));
    let mut find = party::Entity::find().filter(sought);
    if ask.staff {
        let roles = Role::ALL.into_iter().filter(|r| r.is_staff()).map(Role::code);
        let holders = role::Entity::find().select_only().column(role::Column::Party);
        let holders = holders.filter(role::Column::Role.is_in(roles)).into_query();
        find = find.filter(party::Column::Id.in_subquery(holders));
    }
    find.order_by_desc(party::Column::CreatedAt)
        .order_by_desc(party::Column::Id)
        .limit(u64::from(ask.limit.clamp(1, 100)))
        .all(db)
        .await
}

/// False when the address or the id is taken.
pub(crate) async fn insert_party(tx: &Tx, row: &party::Model) -> Result<bool, DbErr> {
    let sql = "INSERT INTO identity_party (id, person, email, name, password, created_at, language) VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT DO NOTHING";
    let values = [
        row.id.into(),
        row.person.into(),
        row.email.clone().into(),
        row.name.clone().into(),
        row.password.clone().into(),
        row.created_at.into(),
        row.language.clone().into(),
    ];
    Ok(tx.run(sql, values).await?.rows_affected() == 1)
}

/// The first time counts.
pub(crate) async fn confirm_email(tx: &Tx, id: PartyId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let sql =
        "UPDATE identity_party SET email_confirmed_at = $1 WHERE id = $2 AND email_confirmed_at IS NULL";
    tx.run(sql, [now.into(), id.0.into()]).await.map(drop)
}

pub(crate) async fn set_language(tx: &Tx, id: PartyId, language: Language) -> Result<(), DbErr> {
    let sql = "UPDATE identity_party SET language = $1 WHERE id = $2";
    tx.run(sql, [language.tag().into(), id.0.into()]).await.map(drop)
}

/// Whether somebody has a staff role, be it one that does not work yet.
pub(crate) async fn is_staff(db: &impl ConnectionTrait, id: PartyId) -> Result<bool, DbErr> {
    let rows = role::Entity::find().filter(role::Column::Party.eq(id.0)).all(db).await?;
    Ok(rows.iter().filter_map(|r| Role::from_code(&r.role)).any(Role::is_staff))
}

pub(crate) async fn insert_letter(tx: &Tx, row: letter::Model) -> Result<(), DbErr> {
    letter::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn maybe_letter(
    db: &impl ConnectionTrait,
    id: LetterId,
) -> Result<Option<letter::Model>, DbErr> {
    letter::Entity::find_by_id(id.0).one(db).await
}

pub(crate) async fn letter_by_secret(
    db: &impl ConnectionTrait,
    secret: Vec<u8>,
) -> Result<Option<letter::Model>, DbErr> {
    letter::Entity::find().filter(letter::Column::Secret.eq(secret)).one(db).await
}

/// How many letters were written for one party, or for nobody, since an instant.
pub(crate) async fn letters_since(
    db: &impl ConnectionTrait,
    party: Option<Uuid>,
    since: DateTime<Utc>,
) -> Result<i64, DbErr> {
    let sql = "SELECT COUNT(*) FROM identity_letter WHERE party = $1 AND at > $2";
    let row = db.one(sql, [party.into(), since.into()]).await?;
    row.ok_or_else(|| DbErr::Custom("no count".into()))?.try_get_by_index(0)
}

/// False when it was used before or has run out.
pub(crate) async fn use_letter(tx: &Tx, secret: Vec<u8>, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let sql =
        "UPDATE identity_letter SET used_at = $1 WHERE secret = $2 AND used_at IS NULL AND expires_at > $1";
    Ok(tx.run(sql, [now.into(), secret.into()]).await?.rows_affected() == 1)
}

pub(crate) async fn forget_letters(tx: &Tx, expired_before: DateTime<Utc>) -> Result<(), DbErr> {
    tx.run("DELETE FROM identity_letter WHERE expires_at < $1", [expired_before.into()]).await.map(drop)
}

pub(crate) async fn set_password(tx: &Tx, id: PartyId, password: &str) -> Result<(), DbErr> {
    let row = party::ActiveModel { id: Set(id.0), password: Set(password.into()), ..Default::default() };
    party::Entity::update_many().set(row).filter(party::Column::Id.eq(id.0)).exec(tx).await.map(drop)
}

pub(crate) async fn add_role(
    tx: &Tx,
    party: PartyId,
    role: Role,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO identity_role (party, role, granted_at, by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.run(sql, [party.0.into(), role.code().into(), now.into(), by.into()]).await.map(drop)
}

pub(crate) async fn remove_role(tx: &Tx, party: PartyId, role: Role) -> Result<(), DbErr> {
    let sql = "DELETE FROM identity_role WHERE party = $1 AND role = $2";
    tx.run(sql, [party.0.into(), role.code().into()]).await.map(drop)
}

/// Whether two different people have used the first links: until then no staff power works.
pub(crate) async fn begun(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let sql = "SELECT COUNT(DISTINCT person) FROM identity_invitation WHERE first AND person IS NOT NULL";
    let row = db.one(sql, []).await?.ok_or_else(|| DbErr::Custom("no count".into()))?;
    Ok(row.try_get_by_index::<i64>(0)? >= 2)
}

/// The roles that work now.
pub(crate) async fn roles(db: &impl ConnectionTrait, party: PartyId) -> Result<BTreeSet<Role>, DbErr> {
    let rows = role::Entity::find().filter(role::Column::Party.eq(party.0)).all(db).await?;
    let all: BTreeSet<Role> = rows.iter().filter_map(|r| Role::from_code(&r.role)).collect();
    if all.iter().any(|r| r.is_staff()) && !begun(db).await? {
        return Ok(all.into_iter().filter(|r| !r.is_staff()).collect());
    }
    Ok(all)
}

pub(crate) async fn view(db: &impl ConnectionTrait, row: party::Model) -> Result<PartyView, DbErr> {
    let id = PartyId(row.id);
    let roles = roles(db, id).await?;
    Ok(PartyView {
        id,
        person: PersonId(row.person),
        name: row.name,
        email: row.email,
        roles,
        email_confirmed: row.email_confirmed_at.is_some(),
        language: Language::from_tag(&row.language),
        created_at: row.created_at,
    })
}

pub(crate) async fn insert_session(tx: &Tx, row: session::Model, refresh: Vec<u8>) -> Result<(), DbErr> {
    let id = row.id;
    session::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    insert_refresh(tx, SessionId(id), refresh).await
}

pub(crate) async fn insert_refresh(tx: &Tx, session: SessionId, hash: Vec<u8>) -> Result<(), DbErr> {
    let sql =
        "INSERT INTO identity_refresh (hash, session, used_at) VALUES ($1, $2, NULL) ON CONFLICT DO NOTHING";
    tx.run(sql, [hash.into(), session.0.into()]).await.map(drop)
}

/// The session of a refresh token and when the token was spent; its row locked.
pub(crate) async fn lock_refresh(
    tx: &Tx,
    hash: Vec<u8>,
) -> Result<Option<(SessionId, Option<DateTime<Utc>>)>, DbErr> {
    let sql = format!("SELECT session, used_at FROM identity_refresh WHERE hash = $1{}", tx.for_update());
    let row = tx.one(sql, [hash.into()]).await?;
    row.map(|r| Ok((SessionId(r.try_get_by_index(0)?), r.try_get_by_index(1)?))).transpose()
}

pub(crate) async fn spend_refresh(tx: &Tx, hash: Vec<u8>, now: DateTime<Utc>) -> Result<(), DbErr> {
    tx.run("UPDATE identity_refresh SET used_at = $1 WHERE hash = $2", [now.into(), hash.into()])
        .await
        .map(drop)
}

pub(crate) async fn maybe_session(
    db: &impl ConnectionTrait,
    id: SessionId,
) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find_by_id(id.0).one(db).await
}

pub(crate) async fn open_sessions(
    db: &impl ConnectionTrait,
    party: PartyId,
    now: DateTime<Utc>,
) -> Result<Vec<session::Model>, DbErr> {
    session::Entity::find()
        .filter(session::Column::Party.eq(party.0))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .order_by_desc(session::Column::CreatedAt)
        .all(db)
        .await
}

/// When each session of a party last asked for a token.
pub(crate) async fn sessions_used(
    db: &impl ConnectionTrait,
    party: PartyId,
) -> Result<BTreeMap<Uuid, DateTime<Utc>>, DbErr> {
    let sql =
        "SELECT r.session, MAX(r.used_at) FROM identity_refresh r JOIN identity_session s ON s.id = r.session
               WHERE s.party = $1 AND r.used_at IS NOT NULL GROUP BY r.session";
    let rows = db.all(sql, [party.0.into()]).await?;
    rows.into_iter().map(|r| Ok((r.try_get_by_index(0)?, r.try_get_by_index(1)?))).collect()
}

/// False when it was revoked before.
pub(crate) async fn revoke(tx: &Tx, id: SessionId, why: &str, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let sql = "UPDATE identity_session SET revoked_at = $1, why = $2 WHERE id = $3 AND revoked_at IS NULL";
    Ok(tx.run(sql, [now.into(), why.into(), id.0.into()]).await?.rows_affected() == 1)
}

pub(crate) async fn insert_invitation(tx: &Tx, row: &invitation::Model) -> Result<(), DbErr> {
    let sql = "INSERT INTO identity_invitation (id, secret, role, first, expires_at, used_by, person)
               VALUES ($1, $2, $3, $4, $5, NULL, NULL) ON CONFLICT DO NOTHING";
    let values = [
        row.id.into(),
        row.secret.clone().into(),
        row.role.clone().into(),
        row.first.into(),
        row.expires_at.into(),
    ];
    tx.run(sql, values).await.map(drop)
}

/// The first links live until they are used: without them an installation has no administrator and never will.
pub(crate) async fn renew_first(tx: &Tx, expires_at: DateTime<Utc>) -> Result<(), DbErr> {
    let sql = "UPDATE identity_invitation SET expires_at = $1 WHERE first AND used_by IS NULL";
    tx.run(sql, [expires_at.into()]).await.map(drop)
}

pub(crate) async fn lock_invitation(tx: &Tx, secret: Vec<u8>) -> Result<Option<invitation::Model>, DbErr> {
    tx.one(
        format!("SELECT id FROM identity_invitation WHERE secret = $1{}", tx.for_update()),
        [secret.clone().into()],
    )
    .await?;
    invitation::Entity::find().filter(invitation::Column::Secret.eq(secret)).one(tx).await
}

/// Whether it was not used and has not run out.
pub(crate) async fn invitation_stands(
    db: &impl ConnectionTrait,
    secret: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM identity_invitation WHERE secret = $1 AND used_by IS NULL AND expires_at > $2";
    Ok(db.one(sql, [secret.into(), now.into()]).await?.is_some())
}

pub(crate) async fn first_invitations(db: &impl ConnectionTrait) -> Result<Vec<invitation::Model>, DbErr> {
    invitation::Entity::find()
        .filter(invitation::Column::First.eq(true))
        .order_by_asc(invitation::Column::Id)
        .all(db)
        .await
}

pub(crate) async fn use_invitation(tx: &Tx, id: Uuid, party: PartyId, person: PersonId) -> Result<(), DbErr> {
    let sql = "UPDATE identity_invitation SET used_by = $1, person = $2 WHERE id = $3";
    tx.run(sql, [party.0.into(), person.0.into(), id.into()]).await.map(drop)
}

pub(crate) async fn insert_change(tx: &Tx, row: change::Model) -> Result<(), DbErr> {
    change::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn lock_change(tx: &Tx, id: Uuid) -> Result<Option<change::Model>, DbErr> {
    tx.one(format!("SELECT id FROM identity_change WHERE id = $1{}", tx.for_update()), [id.into()]).await?;
    change::Entity::find_by_id(id).one(tx).await
}

pub(crate) async fn decide_change(tx: &Tx, id: Uuid, by: PersonId, status: &str) -> Result<(), DbErr> {
    let sql = "UPDATE identity_change SET decided_by = $1, status = $2 WHERE id = $3";
    tx.run(sql, [by.0.into(), status.into(), id.into()]).await.map(drop)
}

pub(crate) async fn proposed_changes(db: &impl ConnectionTrait) -> Result<Vec<change::Model>, DbErr> {
    change::Entity::find()
        .filter(change::Column::Status.eq("PROPOSED"))
        .order_by_asc(change::Column::At)
        .all(db)
        .await
}

pub(crate) async fn maybe_factor(
    db: &impl ConnectionTrait,
    party: PartyId,
) -> Result<Option<factor::Model>, DbErr> {
    factor::Entity::find_by_id(party.0).one(db).await
}

pub(crate) async fn replace_factor(
    tx: &Tx,
    party: PartyId,
    seed: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO identity_factor (party, seed, created_at, confirmed_at, last_step, batch) VALUES ($1, $2, $3, NULL, 0, $2)
               ON CONFLICT (party) DO UPDATE SET seed = $2, created_at = $3, confirmed_at = NULL, last_step = 0, last_request = NULL, batch = $2";
    tx.run(sql, [party.0.into(), seed.into(), now.into()]).await.map(drop)
}

pub(crate) async fn confirm_factor(
    tx: &Tx,
    party: PartyId,
    step: i64,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let sql = "UPDATE identity_factor SET confirmed_at = $1, last_step = $2 WHERE party = $3";
    tx.run(sql, [now.into(), step.into(), party.0.into()]).await.map(drop)
}

/// A code was used, by a request; of an authenticator's its step.
pub(crate) async fn code_used(
    tx: &Tx,
    party: PartyId,
    step: Option<i64>,
    request: RequestId,
) -> Result<(), DbErr> {
    let sql =
        "UPDATE identity_factor SET last_step = COALESCE($1, last_step), last_request = $2 WHERE party = $3";
    tx.run(sql, [step.into(), request.0.into(), party.0.into()]).await.map(drop)
}

/// Whether a recovery code was used since an instant.
pub(crate) async fn recovery_used(
    db: &impl ConnectionTrait,
    party: PartyId,
    mark: Vec<u8>,
    since: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM identity_recovery WHERE mark = $1 AND party = $2 AND used_at >= $3";
    Ok(db.one(sql, [mark.into(), party.0.into(), since.into()]).await?.is_some())
}

pub(crate) async fn set_batch(tx: &Tx, party: PartyId, batch: Uuid) -> Result<(), DbErr> {
    let sql = "UPDATE identity_factor SET batch = $1 WHERE party = $2";
    tx.run(sql, [batch.into(), party.0.into()]).await.map(drop)
}

pub(crate) async fn forget_factor(tx: &Tx, party: PartyId) -> Result<(), DbErr> {
    tx.run("DELETE FROM identity_factor WHERE party = $1", [party.0.into()]).await.map(drop)
}

pub(crate) async fn insert_recovery(tx: &Tx, party: PartyId, mark: Vec<u8>) -> Result<(), DbErr> {
    let sql = "INSERT INTO identity_recovery (mark, party, used_at) VALUES ($1, $2, NULL)";
    tx.run(sql, [mark.into(), party.0.into()]).await.map(drop)
}

/// False when it is none, or was used before.
pub(crate) async fn use_recovery(
    tx: &Tx,
    party: PartyId,
    mark: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let sql = "UPDATE identity_recovery SET used_at = $1 WHERE mark = $2 AND party = $3 AND used_at IS NULL";
    Ok(tx.run(sql, [now.into(), mark.into(), party.0.into()]).await?.rows_affected() == 1)
}

pub(crate) async fn forget_recovery(tx: &Tx, party: PartyId) -> Result<(), DbErr> {
    tx.run("DELETE FROM identity_recovery WHERE party = $1", [party.0.into()]).await.map(drop)
}

pub(crate) async fn recovery_left(db: &impl ConnectionTrait, party: PartyId) -> Result<u32, DbErr> {
    let sql = "SELECT COUNT(*) FROM identity_recovery WHERE party = $1 AND used_at IS NULL";
    let row = db.one(sql, [party.0.into()]).await?.ok_or_else(|| DbErr::Custom("no count".into()))?;
    Ok(u32::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or(0))
}

/// Seconds that are left of a pause after wrong guesses.
pub(crate) async fn throttled(
    db: &impl ConnectionTrait,
    key: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<i64>, DbErr> {
    let row = db
        .one("SELECT until FROM identity_throttle WHERE key = $1 AND until > $2", [key.into(), now.into()])
        .await?;
    row.map(|r| Ok((r.try_get_by_index::<DateTime<Utc>>(0)? - now).num_seconds().max(1))).transpose()
}

pub(crate) async fn count_failure(tx: &Tx, key: Vec<u8>, free: i64, now: DateTime<Utc>) -> Result<(), DbErr> {
    let sql = "INSERT INTO identity_throttle (key, failures, until) VALUES ($1, 1, $2)
               ON CONFLICT (key) DO UPDATE SET failures = identity_throttle.failures + 1 RETURNING failures";
    let row = tx
        .one(sql, [key.clone().into(), now.into()])
        .await?
        .ok_or_else(|| DbErr::Custom("no count".into()))?;
    let over = row.try_get_by_index::<i64>(0)? - free;
    if over > 0 {
        let pause = 1i64 << over.min(9);
        let until = now + chrono::Duration::seconds(pause);
        tx.run("UPDATE identity_throttle SET until = $1 WHERE key = $2", [until.into(), key.into()]).await?;
    }
    Ok(())
}

pub(crate) async fn clear_failures(tx: &Tx, key: Vec<u8>) -> Result<(), DbErr> {
    tx.run("DELETE FROM identity_throttle WHERE key = $1", [key.into()]).await.map(drop)
}

pub(crate) async fn insert_client(tx: &Tx, row: client::Model) -> Result<(), DbErr> {
    client::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn maybe_client(
    db: &impl ConnectionTrait,
    id: ClientId,
) -> Result<Option<client::Model>, DbErr> {
    client::Entity::find_by_id(id.0).one(db).await
}

/// Those that have not been revoked.
pub(crate) async fn clients(db: &impl ConnectionTrait, party: PartyId) -> Result<Vec<client::Model>, DbErr> {
    client::Entity::find()
        .filter(client::Column::Party.eq(party.0))
        .filter(client::Column::RevokedAt.is_null())
        .order_by_desc(client::Column::CreatedAt)
        .order_by_desc(client::Column::Id)
        .all(db)
        .await
}

pub(crate) async fn client_used(tx: &Tx, id: ClientId, now: DateTime<Utc>) -> Result<(), DbErr> {
    tx.run("UPDATE identity_client SET used_at = $1 WHERE id = $2", [now.into(), id.0.into()]).await.map(drop)
}

/// False when it is not theirs or was revoked before.
pub(crate) async fn revoke_client(
    tx: &Tx,
    party: PartyId,
    id: ClientId,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let sql =
        "UPDATE identity_client SET revoked_at = $1 WHERE id = $2 AND party = $3 AND revoked_at IS NULL";
    Ok(tx.run(sql, [now.into(), id.0.into(), party.0.into()]).await?.rows_affected() == 1)
}
