//! What can be asked.

use crate::account::{self, Account, CashAccount, CashMovement, Order, StatementLine};
use crate::application::{Application, Product};
use crate::client::ApiClient;
use crate::context::{asker, loader, services};
use crate::draft::ApplicationDraft;
use crate::error::{fault, malformed};
use crate::id::Gid;
use crate::listing::{self, Bid, Listing, ListingOrder, ListingStatus};
use crate::loan::{Loan, Note, Portfolio, loaded};
use crate::notice::{self, Mail, Notice, NoticeBox};
use crate::page::{Arguments, connection, connection_sorted, cost};
use crate::parked::{self, Parked};
use crate::party::{Change, Party, SecondFactor, Session};
use crate::proof::{Proof, PublicProof};
use crate::scalars::{Currency, Date, Decimal};
use crate::task::{BusinessDay, Task, TaskKind};
use crate::{Demo, DemoAccount};
use async_graphql::connection::Connection;
use async_graphql::{Context, ID, Interface, Object, Result};
use custody_api::{CashAccountOf, Custody, InstructionView, InstructionsOf, ProveBooks};
use identity_api::{ClientsOf, FactorOf, FindParties, Identity, LinkOf, PendingChanges, SessionsOf};
use investing_api::{BidsOf, CurrenciesOf, Investing, ListingsOf};
use kernel::id::{ApplicationId, ListingId, LoanId, PartyId, TaskId};
use ledger_api::{BalancesOf, Ledger};
use lending_api::{ApplicationsOf, DraftOf, Lending, LoansOf, NotesOf, PortfolioOf, ProductsOf};
use office_api::{DayOf, Office, QueueOf, TaskOf, Today};
use platform::Fault;
use platform::page::Mark;

/// What has a global id.
#[derive(Interface)]
#[allow(clippy::large_enum_variant, reason = "made one at a time and resolved at once")]
#[graphql(field(name = "id", ty = "ID"))]
pub enum Node {
    Party(Party),
    Application(Application),
    Listing(Listing),
    Loan(Loan),
    Task(Task),
}

#[derive(Default)]
pub struct PlatformQuery;

#[Object]
impl PlatformQuery {
    /// Who asks; null to whoever has not signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        asker(ctx).party().map(Viewer)
    }

    /// Anything by its global id, if one may see it.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        if let Some(Gid(id)) = Gid::<ListingId>::read(&id) {
            return loaded(loader(ctx).load_one(id).await).map(|l| l.map(|l| Node::Listing(Listing(l))));
        }
        if asker(ctx).party().is_none() {
            return Ok(None);
        }
        if let Some(Gid(id)) = Gid::<LoanId>::read(&id) {
            return loaded(loader(ctx).load_one(id).await).map(|l| l.map(|l| Node::Loan(Loan(l))));
        }
        if let Some(Gid(id)) = Gid::<PartyId>::read(&id) {
            let seen = asker(ctx).is_staff() || asker(ctx).party() == Some(id);
            let found = if seen { loaded(loader(ctx).load_one(id).await)? } else { None };
            return Ok(found.map(|p| Node::Party(p.into())));
        }
        if let Some(Gid(id)) = Gid::<ApplicationId>::read(&id) {
            return Ok(self.application(ctx, Gid(id)).await?.map(Node::Application));
        }
        if let Some(Gid(id)) = Gid::<TaskId>::read(&id) {
            return Ok(self.task(ctx, Gid(id)).await?.map(Node::Task));
        }
        Err(malformed("nothing has ids of this kind"))
    }

    /// Accounts to look around with; none outside a demo.
    async fn demo_accounts(&self, ctx: &Context<'_>) -> Vec<DemoAccount> {
        ctx.data_unchecked::<Demo>().accounts.clone()
    }

    /// The messages that a demo keeps instead of sending them, newest first; none outside a demo.
    async fn mailbox(&self, ctx: &Context<'_>) -> Result<Vec<Mail>> {
        notice::mailbox(ctx).await
    }

    /// Whether an invitation to the staff still works; asking does not use it.
    async fn invitation_stands(&self, ctx: &Context<'_>, secret: String) -> Result<bool> {
        let ask = LinkOf { secret: identity_api::Secret(secret) };
        let found = services(ctx).identity.invitation_stands(&asker(ctx).call(), ask).await;
        found.map_err(|e| fault(asker(ctx), e))
    }

    /// Whether the link of a letter still lets one choose a new password; asking does not use it.
    async fn password_link_stands(&self, ctx: &Context<'_>, secret: String) -> Result<bool> {
        let ask = LinkOf { secret: identity_api::Secret(secret) };
        let found = services(ctx).identity.link_stands(&asker(ctx).call(), ask).await;
        found.map_err(|e| fault(asker(ctx), e))
    }

    /// The platform's date, on which loans run.
    async fn business_date(&self, ctx: &Context<'_>) -> Result<Date> {
        let found = services(ctx).office.today(&asker(ctx).call(), Today {}).await;
        found.map(Date).map_err(|e| fault(asker(ctx), e))
    }

    /// What is lent, on which terms.
    async fn products(&self, ctx: &Context<'_>) -> Result<Vec<Product>> {
        let found = services(ctx).lending.products(&asker(ctx).call(), ProductsOf {}).await;
        Ok(found.map_err(|e| fault(asker(ctx), e))?.into_iter().map(Product::from).collect())
    }

    /// In which currencies something is or was offered on the marketplace.
    async fn listed_currencies(&self, ctx: &Context<'_>) -> Result<Vec<Currency>> {
        let asker = asker(ctx);
        let found = services(ctx).investing.currencies(&asker.call(), CurrenciesOf {}).await;
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(Currency).collect())
    }

    /// The marketplace; newest first unless another order is asked for.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    #[allow(clippy::too_many_arguments)]
    async fn listings(
        &self,
        ctx: &Context<'_>,
        status: Option<ListingStatus>,
        currency: Option<Currency>,
        #[graphql(desc = "Only those whose purpose contains this.")] text: Option<String>,
        #[graphql(desc = "Only those that pay at least this a year, as a ratio.")] rate_at_least: Option<
            Decimal,
        >,
        #[graphql(desc = "Only those that run at most this many months.")] months_at_most: Option<u32>,
        order_by: Option<ListingOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Listing>> {
        let arguments = Arguments { first, after, last, before };
        let order = order_by.map_or_else(investing_api::ListingOrder::default, Into::into);
        let sorted = listing::sorted(order);
        let (shown, page) = arguments.page_sorted(sorted)?;
        let ask = ListingsOf {
            status: status.map(Into::into),
            currency: currency.map(|c| c.0),
            text,
            rate_at_least: rate_at_least.map(|rate| rate.rate()).transpose()?,
            months_at_most,
            order,
            ..ListingsOf::all(page)
        };
        let found = services(ctx).investing.listings(&asker(ctx).call(), ask).await;
        let found = found.map_err(|e| fault(asker(ctx), e))?;
        Ok(connection_sorted(sorted, &arguments, shown, found, |l| order.mark(l), Listing))
    }

    async fn listing(&self, ctx: &Context<'_>, id: Gid<ListingId>) -> Result<Option<Listing>> {
        loaded(loader(ctx).load_one(id.0).await).map(|l| l.map(Listing))
    }

    async fn loan(&self, ctx: &Context<'_>, id: Gid<LoanId>) -> Result<Option<Loan>> {
        let asker = asker(ctx);
        match services(ctx).lending.loan(&asker.call(), lending_api::LoanOf { loan: id.0 }).await {
            Ok(loan) => Ok(Some(Loan(loan))),
            Err(Fault::Refused(_)) => Ok(None),
            Err(e) => Err(fault(asker, e)),
        }
    }

    async fn application(&self, ctx: &Context<'_>, id: Gid<ApplicationId>) -> Result<Option<Application>> {
        let asker = asker(ctx);
        let ask = lending_api::ApplicationOf { application: id.0 };
        match services(ctx).lending.application(&asker.call(), ask).await {
            Ok(application) => Ok(Some(Application(application))),
            Err(Fault::Refused(_)) => Ok(None),
            Err(e) => Err(fault(asker, e)),
        }
    }

    /// One of one's own payments, or of a loan one may see.
    async fn repayment(
        &self,
        ctx: &Context<'_>,
        id: Gid<kernel::id::RepaymentId>,
    ) -> Result<Option<crate::loan::Repayment>> {
        let asker = asker(ctx);
        let ask = lending_api::RepaymentOf { repayment: id.0 };
        match services(ctx).lending.repayment(&asker.call(), ask).await {
            Ok(repayment) => Ok(Some(repayment.into())),
            Err(Fault::Refused(_)) => Ok(None),
            Err(e) => Err(fault(asker, e)),
        }
    }

    /// All applications, newest first; for staff.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn applications(
        &self,
        ctx: &Context<'_>,
        status: Option<crate::application::ApplicationStatus>,
        borrower: Option<Gid<PartyId>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Application>> {
        applications(ctx, borrower.map(|b| b.0), status, Arguments { first, after, last, before }).await
    }

    /// All loans, newest first; for staff.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn loans(
        &self,
        ctx: &Context<'_>,
        status: Option<crate::loan::LoanStatus>,
        borrower: Option<Gid<PartyId>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Loan>> {
        loans(ctx, borrower.map(|b| b.0), status, Arguments { first, after, last, before }).await
    }

    /// The staff's queue, oldest first: what one may decide, or everything for those who watch.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    #[allow(clippy::too_many_arguments)]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        kind: Option<TaskKind>,
        #[graphql(default = false, desc = "Those that are decided too.")] decided: bool,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Task>> {
        let arguments = Arguments { first, after, last, before };
        let (shown, page) = arguments.page()?;
        let ask = QueueOf { ids: Vec::new(), kind: kind.map(Into::into), all: decided, page };
        let found = services(ctx).office.queue(&asker(ctx).call(), ask).await;
        let found = found.map_err(|e| fault(asker(ctx), e))?;
        Ok(connection(&arguments, shown, found, |t| Mark::at(t.at, t.id.0), Task))
    }

    async fn task(&self, ctx: &Context<'_>, id: Gid<TaskId>) -> Result<Option<Task>> {
        let asker = asker(ctx);
        match services(ctx).office.task(&asker.call(), TaskOf { task: id.0 }).await {
            Ok(task) => Ok(Some(Task(task))),
            Err(Fault::Refused(_)) => Ok(None),
            Err(e) => Err(fault(asker, e)),
        }
    }

    /// How far the close of a business date has come; without a date, of the newest one. For staff.
    async fn business_day(&self, ctx: &Context<'_>, date: Option<Date>) -> Result<Option<BusinessDay>> {
        let asker = asker(ctx);
        let found = services(ctx).office.day(&asker.call(), DayOf { date: date.map(|d| d.0) }).await;
        found.map(|d| d.map(BusinessDay::from)).map_err(|e| fault(asker, e))
    }

    /// Parties by a part of their name or address, newest first; for staff.
    async fn parties(
        &self,
        ctx: &Context<'_>,
        text: String,
        #[graphql(default = false, desc = "Only those who are staff; up to a hundred of them.")] staff: bool,
    ) -> Result<Vec<Party>> {
        let asker = asker(ctx);
        let ask = FindParties { text, staff, limit: if staff { 100 } else { 20 } };
        let found = services(ctx).identity.find(&asker.call(), ask).await;
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(Party::from).collect())
    }

    /// What the custodian was asked to do, newest first, with whose it is. For operations and auditors.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    #[allow(clippy::too_many_arguments)]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        party: Option<Gid<PartyId>>,
        #[graphql(default = false, desc = "Only those about which the last word is not spoken.")] open: bool,
        #[graphql(desc = "Of one operation alone, by the custodian's word for it.")] operation: Option<
            String,
        >,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Order>> {
        let arguments = Arguments { first, after, last, before };
        let (shown, page) = arguments.page()?;
        let asker = asker(ctx);
        let ask = InstructionsOf { party: party.map(|p| p.0), open, operation, page };
        let found = services(ctx).custody.instructions(&asker.call(), ask).await;
        let found = found.map_err(|e| fault(asker, e))?;
        // The page on which its owner confirms it is its owner's.
        let view = |i: InstructionView| Order::from(InstructionView { redirect_url: None, ..i });
        Ok(connection(&arguments, shown, found, |i| Mark::at(i.at, i.id.0), view))
    }

    /// Changes of rights and credentials that wait for a second administrator.
    async fn changes(&self, ctx: &Context<'_>) -> Result<Vec<Change>> {
        let asker = asker(ctx);
        let found = services(ctx).identity.pending_changes(&asker.call(), PendingChanges {}).await;
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(Change::from).collect())
    }

    /// What failed too often and waits for a person. For operations, auditors and administrators.
    async fn parked(&self, ctx: &Context<'_>) -> Result<Vec<Parked>> {
        parked::all(ctx).await
    }

    /// What the last proof of both books said. Public.
    async fn last_proof(&self, ctx: &Context<'_>) -> Result<Option<PublicProof>> {
        let asker = asker(ctx);
        let found = services(ctx).custody.last_proof(&asker.call(), custody_api::LastProofOf {}).await;
        found.map(|p| p.map(PublicProof::from)).map_err(|e| fault(asker, e))
    }

    /// Proves both books now. For operations, auditors and administrators.
    #[graphql(complexity = "200 + child_complexity")]
    async fn proof(&self, ctx: &Context<'_>) -> Result<Proof> {
        let asker = asker(ctx);
        let found = services(ctx).custody.proof(&asker.call(), ProveBooks::default()).await;
        found.map(Proof::from).map_err(|e| fault(asker, e))
    }
}

async fn applications(
    ctx: &Context<'_>,
    borrower: Option<PartyId>,
    status: Option<crate::application::ApplicationStatus>,
    arguments: Arguments,
) -> Result<Connection<String, Application>> {
    let (shown, page) = arguments.page()?;
    let ask = ApplicationsOf { ids: Vec::new(), borrower, status: status.map(Into::into), page };
    let found = services(ctx).lending.applications(&asker(ctx).call(), ask).await;
    let found = found.map_err(|e| fault(asker(ctx), e))?;
    Ok(connection(&arguments, shown, found, |a| Mark::at(a.at, a.id.0), Application))
}

async fn loans(
    ctx: &Context<'_>,
    borrower: Option<PartyId>,
    status: Option<crate::loan::LoanStatus>,
    arguments: Arguments,
) -> Result<Connection<String, Loan>> {
    let (shown, page) = arguments.page()?;
    let ask = LoansOf { ids: Vec::new(), borrower, status: status.map(Into::into), page };
    let found = services(ctx).lending.loans(&asker(ctx).call(), ask).await;
    let found = found.map_err(|e| fault(asker(ctx), e))?;
    Ok(connection(&arguments, shown, found, |l| Mark::at(l.at, l.id.0), Loan))
}

/// Who asks, and all that is theirs.
pub struct Viewer(PartyId);

#[Object]
impl Viewer {
    async fn party(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        loaded(loader(ctx).load_one(self.0).await).map(|p| p.map(Party::from))
    }

    /// One's money, by currency.
    async fn accounts(&self, ctx: &Context<'_>) -> Result<Vec<Account>> {
        let asker = asker(ctx);
        let ask = BalancesOf { owner: self.0.0, as_of: None };
        let found = services(ctx).ledger.balances(&asker.call(), ask).await;
        found.map(account::accounts).map_err(|e| fault(asker, e))
    }

    /// One's account at the custodian, once it is open.
    async fn cash_account(&self, ctx: &Context<'_>) -> Result<Option<CashAccount>> {
        let asker = asker(ctx);
        let found = services(ctx).custody.cash_account(&asker.call(), CashAccountOf { party: self.0 }).await;
        found.map(|a| a.map(CashAccount::from)).map_err(|e| fault(asker, e))
    }

    /// Every movement of one's money, newest first, with its counterfoil at the custodian.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn statement(
        &self,
        ctx: &Context<'_>,
        currency: Option<Currency>,
        #[graphql(desc = "Value dates from this one on.")] from: Option<Date>,
        #[graphql(desc = "Value dates up to this one.")] to: Option<Date>,
        #[graphql(desc = "For these reasons alone.")] kinds: Option<Vec<account::EntryKind>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<String, StatementLine>> {
        let arguments = Arguments { first, after, ..Arguments::default() };
        let narrowed = account::Narrowed {
            currency: currency.map(|c| c.0),
            from: from.map(|d| d.0),
            to: to.map(|d| d.0),
            kinds: kinds.unwrap_or_default().into_iter().map(Into::into).collect(),
        };
        account::statement(ctx, self.0, narrowed, arguments).await
    }

    /// What the custodian did with one's cash account, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn cash_movements(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<String, CashMovement>> {
        account::movements(ctx, self.0, Arguments { first, after, ..Arguments::default() }).await
    }

    /// One's orders to the custodian, newest first.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Order>> {
        let arguments = Arguments { first, after, last, before };
        let (shown, page) = arguments.page()?;
        let asker = asker(ctx);
        let found = services(ctx)
            .custody
            .instructions(
                &asker.call(),
                InstructionsOf { party: Some(self.0), open: false, operation: None, page },
            )
            .await;
        let found = found.map_err(|e| fault(asker, e))?;
        Ok(connection(&arguments, shown, found, |i| Mark::at(i.at, i.id.0), Order::from))
    }

    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn applications(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Application>> {
        applications(ctx, Some(self.0), None, Arguments { first, after, last, before }).await
    }

    /// What one has typed of an application and not sent.
    async fn application_draft(&self, ctx: &Context<'_>) -> Result<Option<ApplicationDraft>> {
        let asker = asker(ctx);
        let found = services(ctx).lending.draft(&asker.call(), DraftOf {}).await;
        found.map(|d| d.map(ApplicationDraft::from)).map_err(|e| fault(asker, e))
    }

    /// What one borrows.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn loans(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Loan>> {
        loans(ctx, Some(self.0), None, Arguments { first, after, last, before }).await
    }

    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn bids(
        &self,
        ctx: &Context<'_>,
        listing: Option<Gid<ListingId>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Bid>> {
        let arguments = Arguments { first, after, last, before };
        let (shown, page) = arguments.page()?;
        let ask = BidsOf { investor: Some(self.0), listing: listing.map(|l| l.0), page };
        let found = services(ctx).investing.bids(&asker(ctx).call(), ask).await;
        let found = found.map_err(|e| fault(asker(ctx), e))?;
        Ok(connection(&arguments, shown, found, |b| Mark::at(b.at, b.id.0), Bid))
    }

    /// What one has lent: all shares of loans.
    #[graphql(complexity = "cost(Some(80), child_complexity)")]
    async fn notes(&self, ctx: &Context<'_>, loan: Option<Gid<LoanId>>) -> Result<Vec<Note>> {
        let asker = asker(ctx);
        let ask = NotesOf { holder: Some(self.0), loan: loan.map(|l| l.0) };
        let found = services(ctx).lending.notes(&asker.call(), ask).await.map_err(|e| fault(asker, e))?;
        Ok(found.into_iter().map(Note).collect())
    }

    /// One's notes added up, by currency.
    async fn portfolio(&self, ctx: &Context<'_>) -> Result<Vec<Portfolio>> {
        let asker = asker(ctx);
        let found = services(ctx).lending.portfolio(&asker.call(), PortfolioOf { holder: self.0 }).await;
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(Portfolio::from).collect())
    }

    /// What one has been told, newest first.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn notices(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Notice>> {
        notice::notices(ctx, Arguments { first, after, last, before }).await
    }

    /// How one's notices stand.
    async fn notice_box(&self, ctx: &Context<'_>) -> Result<NoticeBox> {
        notice::standing(ctx).await
    }

    /// One's second factor.
    async fn second_factor(&self, ctx: &Context<'_>) -> Result<SecondFactor> {
        let asker = asker(ctx);
        let found = services(ctx).identity.factor(&asker.call(), FactorOf {}).await;
        found.map(SecondFactor::from).map_err(|e| fault(asker, e))
    }

    /// Programs that read for one, newest first.
    async fn api_clients(&self, ctx: &Context<'_>) -> Result<Vec<ApiClient>> {
        let asker = asker(ctx);
        let found = services(ctx).identity.clients(&asker.call(), ClientsOf {}).await;
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(ApiClient::from).collect())
    }

    /// Where one is signed in.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let asker = asker(ctx);
        let found = services(ctx).identity.sessions(&asker.call(), SessionsOf {}).await;
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(Session::from).collect())
    }
}
