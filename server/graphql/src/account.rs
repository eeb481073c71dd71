//! One's money: the virtual account, the cash account beside it, and orders to the custodian.

use crate::context::{asker, loader, services};
use crate::error::{CustodyUserError, fault, unauthenticated};
use crate::id::Gid;
use crate::listing::Listing;
use crate::loan::loaded;
use crate::page::{Arguments, numbered};
use crate::party::Party;
use crate::payload;
use crate::scalars::{Currency, Date, DateTime, Money, MoneyInput, Uuid};
use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, Enum, InputObject, Object, Result, SimpleObject};
use custody_api::*;
use kernel::id::{InstructionId, LineId, ListingId, MovementId, PartyId, TransferId};
use ledger_api::{AccountKind, Balance, Entry, Ledger, StatementOf};
use std::collections::HashMap;

/// One's money in one currency.
#[derive(SimpleObject)]
pub struct Account {
    pub currency: Currency,
    /// Free to bid with, to repay with or to withdraw.
    pub available: Money,
    /// Set aside for bids, repayments and withdrawals that are under way.
    pub frozen: Money,
    /// Lent out to one already and not yet paid over: a disbursement under way.
    pub held: Money,
    /// What is missing and blocks the account until it has been settled; normally zero.
    pub shortfall: Money,
}

/// One's accounts from the balances of their parts.
pub fn accounts(balances: Vec<Balance>) -> Vec<Account> {
    let mut found: Vec<(finance::Currency, [i64; 4])> = Vec::new();
    for b in balances {
        let currency = b.key.currency;
        let place = found.iter().position(|(c, _)| *c == currency).unwrap_or_else(|| {
            found.push((currency, [0; 4]));
            found.len() - 1
        });
        let sums = &mut found[place].1;
        match b.key.kind {
            AccountKind::Available => {
                sums[0] += b.balance.minor() - b.reserved.minor();
                sums[1] += b.reserved.minor();
            }
            AccountKind::Held => sums[2] += b.balance.minor(),
            AccountKind::Shortfall => sums[3] -= b.balance.minor(),
            _ => {}
        }
    }
    found.sort_by_key(|(c, _)| *c);
    let view = |(currency, [available, frozen, held, shortfall]): (finance::Currency, [i64; 4])| {
        let money = |minor| Money::from(finance::Money::new(minor, currency));
        Account {
            currency: Currency(currency),
            available: money(available),
            frozen: money(frozen),
            held: money(held),
            shortfall: money(shortfall),
        }
    };
    found.into_iter().map(view).collect()
}

/// The same user's account at the independent custodian.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct CashAccount {
    /// The custodian's name.
    pub custodian: String,
    pub opened_at: DateTime,
    #[graphql(skip)]
    party: PartyId,
}

#[ComplexObject]
impl CashAccount {
    /// What it holds by the custodian's own movements; equal to the virtual account but for what is on its way.
    async fn balances(&self, ctx: &Context<'_>) -> Result<Vec<Money>> {
        let asker = asker(ctx);
        let ask = CashAccountOf { party: self.party };
        let found = services(ctx).custody.cash_balances(&asker.call(), ask).await;
        found.map(|b| b.into_iter().map(Money::from).collect()).map_err(|e| fault(asker, e))
    }

    /// What one allows the custodian to do without asking each time; the custodian is asked for it.
    #[graphql(complexity = "100 + child_complexity")]
    async fn consents(&self, ctx: &Context<'_>) -> Result<Consents> {
        let asker = asker(ctx);
        let ask = CashAccountOf { party: self.party };
        let found = services(ctx).custody.consents(&asker.call(), ask).await;
        found.map(Consents::from).map_err(|e| fault(asker, e))
    }
}

/// What one allows the custodian.
#[derive(SimpleObject)]
pub struct Consents {
    /// The custodian's own page, on which it is seen and revoked.
    pub page_url: String,
    /// Of one's account there, as its pages ask for it.
    pub account_number: String,
    pub active: Vec<Consent>,
}

/// Orders of one kind that need no confirmation, within limits.
#[derive(SimpleObject)]
pub struct Consent {
    pub scope: ConsentScope,
    /// For one order, at most.
    pub per_order: Money,
    /// In all, at most.
    pub total: Money,
    /// How much of the total has been used.
    pub used: Money,
    pub expires_at: DateTime,
}

impl From<custody_api::Consents> for Consents {
    fn from(c: custody_api::Consents) -> Consents {
        let active = c.consents.into_iter().map(|c| Consent {
            scope: c.scope.into(),
            per_order: c.per_order.into(),
            total: c.total.into(),
            used: c.used.into(),
            expires_at: DateTime(c.expires_at),
        });
        Consents { page_url: c.url, account_number: c.account_number, active: active.collect() }
    }
}

impl From<CashAccountView> for CashAccount {
    fn from(a: CashAccountView) -> CashAccount {
        CashAccount { custodian: a.custodian, opened_at: DateTime(a.opened_at), party: a.party }
    }
}

/// Where an order to the custodian is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "custody_api::InstructionStatus")]
pub enum OrderStatus {
    Drafted,
    /// The user has not confirmed it on the custodian's page yet.
    AwaitingUser,
    Accepted,
    /// No answer came; it is being asked after, and never sent twice.
    Unknown,
    Settled,
    /// The custodian did part of it.
    Partial,
    Failed,
    Cancelled,
    Expired,
}

/// Something the custodian was asked to do.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Order {
    pub id: Gid<InstructionId>,
    /// What kind of order, in the custodian's words.
    pub operation: String,
    pub amount: Option<Money>,
    pub status: OrderStatus,
    /// The custodian's reason when it failed.
    pub code: Option<String>,
    /// The custodian's own page on which the user confirms it.
    pub redirect_url: Option<String>,
    pub placed_at: DateTime,
    #[graphql(skip)]
    party: Option<PartyId>,
    #[graphql(skip)]
    project: Option<ListingId>,
}

#[ComplexObject]
impl Order {
    /// The listing it is about; null for what is about one's account alone.
    async fn listing(&self, ctx: &Context<'_>) -> Result<Option<Listing>> {
        let Some(project) = self.project else { return Ok(None) };
        loaded(loader(ctx).load_one(project).await).map(|l| l.map(Listing))
    }

    /// Whose money it is about; null for a batch of several people's.
    async fn party(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        match self.party {
            Some(party) => loaded(loader(ctx).load_one(party).await).map(|p| p.map(Party::from)),
            None => Ok(None),
        }
    }
}

impl From<InstructionView> for Order {
    fn from(i: InstructionView) -> Order {
        Order {
            id: Gid(i.id),
            operation: i.operation,
            amount: i.amount.map(Money::from),
            status: i.status.into(),
            code: Some(i.code).filter(|c| !c.is_empty()),
            redirect_url: i.redirect_url,
            placed_at: DateTime(i.at),
            party: i.party,
            project: i.project.map(ListingId),
        }
    }
}

/// What the custodian did: one verified change in its books.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct CashMovement {
    pub id: Gid<MovementId>,
    /// The custodian's own number.
    pub number: String,
    pub kind: String,
    pub amount: Money,
    pub business_date: Date,
    pub at: DateTime,
    /// The custodian's number of the order that it belongs to: what one payment moved has one.
    pub order_number: String,
    /// Whether the ledger has it.
    pub mirrored: bool,
    #[graphql(skip)]
    pub project: Option<ListingId>,
    #[graphql(skip)]
    pub line: Option<LineId>,
}

/// Of what somebody who lent got by one repayment.
#[derive(SimpleObject)]
pub struct RepaidParts {
    pub interest: Money,
    pub principal: Money,
}

#[ComplexObject]
impl CashMovement {
    /// The listing for which it was: which loan was lent, repaid or charged for.
    async fn listing(&self, ctx: &Context<'_>) -> Result<Option<Listing>> {
        let Some(project) = self.project else { return Ok(None) };
        loaded(loader(ctx).load_one(project).await).map(|l| l.map(Listing))
    }

    /// Of which parts it is where it pays back what one lent; null for everything else.
    async fn parts(&self, ctx: &Context<'_>) -> Result<Option<RepaidParts>> {
        let Some(line) = self.line else { return Ok(None) };
        let part = loaded(loader(ctx).load_one(line).await)?;
        Ok(part.map(|p| RepaidParts { interest: p.interest.into(), principal: p.principal.into() }))
    }
}

impl From<custody_api::CashMovement> for CashMovement {
    fn from(m: custody_api::CashMovement) -> CashMovement {
        CashMovement {
            id: Gid(m.id),
            number: m.number.to_string(),
            kind: m.kind,
            amount: m.amount.into(),
            business_date: Date(m.business_date),
            at: DateTime(m.at),
            order_number: m.instruction,
            mirrored: m.mirrored,
            project: m.project,
            line: m.line,
        }
    }
}

/// Why money moved.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger_api::Code")]
pub enum EntryKind {
    TopUp,
    Withdrawal,
    WithdrawalReturned,
    Bid,
    Disbursement,
    DisbursementUnblocked,
    DisbursementReversed,
    Repayment,
    Fee,
    OwnFunds,
    Shortfall,
    ShortfallSettled,
}

/// One line of one's statement: the virtual account's movement, and the cash account's of which it is the mirror.
#[derive(SimpleObject)]
pub struct StatementLine {
    pub id: Gid<TransferId>,
    pub kind: EntryKind,
    /// What came in; negative what went out; zero between one's own accounts.
    pub amount: Money,
    /// What one had in this currency afterwards, available and held.
    pub balance_after: Money,
    pub business_date: Date,
    pub value_date: Date,
    pub recorded_at: DateTime,
    /// Its counterfoil at the custodian.
    pub cash: Option<CashMovement>,
}

fn line(me: PartyId, entry: &Entry, after: finance::Money, cash: Option<CashMovement>) -> StatementLine {
    let mine = |owner: uuid::Uuid, kind: AccountKind| {
        owner == me.0 && matches!(kind, AccountKind::Available | AccountKind::Held)
    };
    let minor = entry.amount.minor();
    let into = if mine(entry.credit_owner, entry.credit_kind) { minor } else { 0 };
    let out = if mine(entry.debit_owner, entry.debit_kind) { minor } else { 0 };
    StatementLine {
        balance_after: after.into(),
        id: Gid(entry.id),
        kind: entry.code.into(),
        amount: finance::Money::new(into - out, entry.amount.currency()).into(),
        business_date: Date(entry.business_date),
        value_date: Date(entry.value_date),
        recorded_at: DateTime(entry.recorded_at),
        cash,
    }
}

/// What of a statement is asked for.
pub struct Narrowed {
    pub currency: Option<finance::Currency>,
    pub from: Option<chrono::NaiveDate>,
    pub to: Option<chrono::NaiveDate>,
    pub kinds: Vec<ledger_api::Code>,
}

/// One's statement, newest first: two reads, however long the page.
///
/// # Errors
/// When a service does not answer.
pub async fn statement(
    ctx: &Context<'_>,
    me: PartyId,
    narrowed: Narrowed,
    arguments: Arguments,
) -> Result<Connection<String, StatementLine>> {
    let (limit, before) = arguments.numbers()?;
    let (asker, services) = (asker(ctx), services(ctx));
    let ask = StatementOf {
        owner: me.0,
        currency: narrowed.currency,
        before,
        limit,
        with_reservations: false,
        from: narrowed.from,
        to: narrowed.to,
        codes: narrowed.kinds,
    };
    let found = services.ledger.statement(&asker.call(), ask).await.map_err(|e| fault(asker, e))?;
    let mut ids: Vec<MovementId> = found.entries.iter().map(|e| MovementId(e.reference)).collect();
    ids.sort();
    ids.dedup();
    let mut movements: HashMap<MovementId, CashMovement> = HashMap::new();
    if !ids.is_empty() {
        let ask = MovementsOf { party: me, ids, before: None, limit: 101 };
        let seen = services.custody.movements(&asker.call(), ask).await.map_err(|e| fault(asker, e))?;
        movements.extend(seen.into_iter().map(|m| (m.id, m.into())));
    }
    let node = |(entry, after): (Entry, finance::Money)| {
        let cash = movements.get(&MovementId(entry.reference)).cloned();
        line(me, &entry, after, cash)
    };
    let lines = found.entries.into_iter().zip(found.after).collect();
    Ok(numbered(&arguments, found.has_more, lines, |(e, _)| e.position, node))
}

/// One's movements at the custodian, newest first.
///
/// # Errors
/// When custody does not answer.
pub async fn movements(
    ctx: &Context<'_>,
    me: PartyId,
    arguments: Arguments,
) -> Result<Connection<String, CashMovement>> {
    let (limit, before) = arguments.numbers()?;
    let ask = MovementsOf { party: me, ids: Vec::new(), before, limit: limit + 1 };
    let asker = asker(ctx);
    let mut found = services(ctx).custody.movements(&asker.call(), ask).await.map_err(|e| fault(asker, e))?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    Ok(numbered(&arguments, more, found, |m| m.number, CashMovement::from))
}

/// What a standing consent covers.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "custody_api::ConsentScope")]
pub enum ConsentScope {
    Bid,
    Repay,
    Fee,
}

#[derive(InputObject)]
pub struct CashAccountOpenInput {
    pub id: Uuid,
    /// As on the identity document.
    pub name: String,
}

#[derive(InputObject)]
pub struct ConsentInput {
    pub scope: ConsentScope,
    /// For one order, at most.
    pub per_order: MoneyInput,
    /// In all, at most.
    pub total: MoneyInput,
    pub expires_at: DateTime,
}

#[derive(InputObject)]
pub struct ConsentGrantInput {
    pub id: Uuid,
    pub consents: Vec<ConsentInput>,
}

#[derive(InputObject)]
pub struct AccountTopUpInput {
    pub id: Uuid,
    pub amount: MoneyInput,
}

#[derive(InputObject)]
pub struct AccountWithdrawInput {
    pub id: Uuid,
    pub amount: MoneyInput,
}

payload! {
    CashAccountOpenPayload { order: Order } or CustodyUserError;
    ConsentGrantPayload { order: Order } or CustodyUserError;
    AccountTopUpPayload { order: Order } or CustodyUserError;
    AccountWithdrawPayload { order: Order } or CustodyUserError;
}

#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Opens one's own cash account at the custodian.
    async fn cash_account_open(
        &self,
        ctx: &Context<'_>,
        input: CashAccountOpenInput,
    ) -> Result<CashAccountOpenPayload> {
        let asker = asker(ctx);
        let party = asker.party().ok_or_else(unauthenticated)?;
        let open = OpenCashAccount { id: InstructionId(input.id.0), party, name: input.name };
        CashAccountOpenPayload::of(asker, services(ctx).custody.open_account(&asker.call(), open).await)
    }

    /// Allows, at the custodian, what would otherwise be confirmed order by order.
    async fn consent_grant(
        &self,
        ctx: &Context<'_>,
        input: ConsentGrantInput,
    ) -> Result<ConsentGrantPayload> {
        let asker = asker(ctx);
        let party = asker.party().ok_or_else(unauthenticated)?;
        let grant = |c: &ConsentInput| {
            Ok::<_, async_graphql::Error>(ConsentGrant {
                scope: c.scope.into(),
                per_order: c.per_order.money()?,
                total: c.total.money()?,
                expires_at: c.expires_at.0,
            })
        };
        let grants = input.consents.iter().map(grant).collect::<Result<Vec<_>>>()?;
        let grant = GrantConsent { id: InstructionId(input.id.0), party, grants };
        ConsentGrantPayload::of(asker, services(ctx).custody.grant(&asker.call(), grant).await)
    }

    /// Brings money from outside into one's own cash account.
    async fn account_top_up(
        &self,
        ctx: &Context<'_>,
        input: AccountTopUpInput,
    ) -> Result<AccountTopUpPayload> {
        let asker = asker(ctx);
        let party = asker.party().ok_or_else(unauthenticated)?;
        let top_up = TopUp { id: InstructionId(input.id.0), party, amount: input.amount.money()? };
        AccountTopUpPayload::of(asker, services(ctx).custody.top_up(&asker.call(), top_up).await)
    }

    /// Pays money out to the user's own bank account.
    async fn account_withdraw(
        &self,
        ctx: &Context<'_>,
        input: AccountWithdrawInput,
    ) -> Result<AccountWithdrawPayload> {
        let asker = asker(ctx);
        let party = asker.party().ok_or_else(unauthenticated)?;
        let withdraw = Withdraw { id: InstructionId(input.id.0), party, amount: input.amount.money()? };
        AccountWithdrawPayload::of(asker, services(ctx).custody.withdraw(&asker.call(), withdraw).await)
    }
}
