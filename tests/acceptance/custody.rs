//! Both books: money at the custodian and its mirror in the ledger, when all goes well and when it does not.

use anyhow::{Context, anyhow};
use chrono::Duration;
use custodian::fault::{Fault, Planned};
use custody_api::*;
use finance::{Currency, Money};
use kernel::Clock;
use kernel::call::{Actor, Call, Role, Service};
use kernel::id::{BatchId, InstructionId, LineId, PartyId, PersonId, SessionId, TransferId, derived};
use ledger_api::batch::{Code, Operation, PostBatch};
use ledger_api::{AccountKey, AccountKind, BalancesOf, Ledger, OpenAccount, OpenAccounts};
use office_api::{DecideTask, Office, QueueOf, TaskKind};
use platform::Fault as Refused;
use platform::db::Sql;
use platform::page::Page;
use std::collections::BTreeSet;
use tests::story;
use tests::world::World;
use uuid::Uuid;

pub(crate) const CONFIRM: &str =
    "decision=confirm&password=correct-horse&bank_account=GB82WEST12345698765432";

pub(crate) fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

pub(crate) fn key(owner: Uuid, kind: AccountKind) -> AccountKey {
    AccountKey { owner, currency: Currency::USD, custodian: "harbour".into(), kind }
}

/// People and what they do, at the custody level.
pub(crate) struct Actors<'a>(pub(crate) &'a World);

impl Actors<'_> {
    pub(crate) fn as_person(&self, party: PartyId) -> Call {
        let (person, session, roles) = (PersonId(party.0), SessionId(self.0.uuid()), BTreeSet::new());
        Call { actor: Actor::Person { party, person, session, roles }, ..self.0.call() }
    }

    /// Somebody of operations.
    pub(crate) fn staff(&self, party: Uuid) -> Call {
        let (party, person, session) = (PartyId(party), PersonId(party), SessionId(self.0.uuid()));
        let roles = BTreeSet::from([Role::Operations]);
        Call { actor: Actor::Person { party, person, session, roles }, ..self.0.call() }
    }

    pub(crate) fn gateway(&self) -> CustodyClient {
        self.0.house.custody(Service::Gateway)
    }

    pub(crate) fn inside(&self) -> CustodyClient {
        self.0.house.custody(Service::Investing)
    }

    pub(crate) fn instruction(&self) -> InstructionId {
        InstructionId(self.0.uuid())
    }

    pub(crate) async fn confirm(&self, view: &InstructionView) -> anyhow::Result<()> {
        let url = view.redirect_url.as_ref().with_context(|| format!("a page, not {view:?}"))?;
        let (status, body) = self.0.at_custodian(url, CONFIRM).await?;
        anyhow::ensure!(status == 200, "{status}: {body}");
        self.0.settle().await
    }

    pub(crate) async fn person(&self) -> anyhow::Result<PartyId> {
        let party = PartyId(self.0.uuid());
        let open = OpenCashAccount { id: self.instruction(), party, name: "A. Person".into() };
        let view =
            self.gateway().open_account(&self.as_person(party), open).await.map_err(|e| anyhow!("{e}"))?;
        self.confirm(&view).await?;
        Ok(party)
    }

    pub(crate) async fn rich(&self, minor: i64) -> anyhow::Result<PartyId> {
        let party = self.person().await?;
        let top_up = TopUp { id: self.instruction(), party, amount: usd(minor) };
        let view = self.gateway().top_up(&self.as_person(party), top_up).await.map_err(|e| anyhow!("{e}"))?;
        self.confirm(&view).await?;
        Ok(party)
    }

    pub(crate) async fn allow(
        &self,
        party: PartyId,
        scope: ConsentScope,
        per_order: i64,
        total: i64,
    ) -> anyhow::Result<()> {
        let expires_at = self.0.clock.now() + Duration::days(400);
        let grants = vec![ConsentGrant { scope, per_order: usd(per_order), total: usd(total), expires_at }];
        let grant = GrantConsent { id: self.instruction(), party, grants };
        let view = self.gateway().grant(&self.as_person(party), grant).await.map_err(|e| anyhow!("{e}"))?;
        self.confirm(&view).await
    }

    /// A listing at both sides.
    pub(crate) async fn project(&self, borrower: PartyId, minor: i64) -> anyhow::Result<Uuid> {
        let project = self.0.uuid();
        self.control(project, Some(minor)).await?;
        let create = CreateProject {
            name: "A heat pump".into(),
            id: self.instruction(),
            project,
            borrower,
            amount: usd(minor),
            fee_max: usd(minor / 50),
        };
        let view = self.inside().create_project(&self.0.call(), create).await.map_err(|e| anyhow!("{e}"))?;
        anyhow::ensure!(view.status == InstructionStatus::Settled, "{view:?}");
        Ok(project)
    }

    pub(crate) async fn control(&self, owner: Uuid, credit_limit: Option<i64>) -> anyhow::Result<()> {
        let accounts = vec![OpenAccount { key: key(owner, AccountKind::Control), credit_limit }];
        let ledger = self.0.house.ledger(Service::Investing);
        ledger.open_accounts(&self.0.call(), OpenAccounts { accounts }).await.map_err(|e| anyhow!("{e}"))?;
        Ok(())
    }

    /// Reserves in the ledger, then asks the custodian to freeze.
    pub(crate) async fn freeze(
        &self,
        party: PartyId,
        project: Uuid,
        control: Uuid,
        purpose: FreezePurpose,
        minor: i64,
    ) -> anyhow::Result<InstructionView> {
        let (id, reservation) = (self.instruction(), TransferId(self.0.uuid()));
        let (debit, credit) =
            (key(party.0, AccountKind::Available).id(), key(control, AccountKind::Control).id());
        let operation = Operation::Reserve {
            id: reservation,
            debit,
            credit,
            amount: usd(minor),
            code: Code::Bid,
            reference: project,
        };
        let batch = PostBatch {
            id: BatchId(self.0.uuid()),
            linked: true,
            value_date: None,
            operations: vec![operation],
        };
        let posted = self
            .0
            .house
            .ledger(Service::Investing)
            .post_batch(&self.0.call(), batch)
            .await
            .map_err(|e| anyhow!("{e}"))?;
        anyhow::ensure!(posted.all_posted(), "{posted:?}");
        let amount = usd(minor);
        let freeze = Freeze { id, party, project, purpose, amount, by_hand: false, reservation };
        self.inside().freeze(&self.0.call(), freeze).await.map_err(|e| anyhow!("{e}"))
    }

    pub(crate) async fn status(&self, id: InstructionId) -> anyhow::Result<(InstructionStatus, String)> {
        let view = self
            .inside()
            .instruction(&self.0.call(), InstructionOf { id, newest: false })
            .await
            .map_err(|e| anyhow!("{e}"))?;
        Ok((view.status, view.code))
    }

    /// Balance, reserved and held, in minor units.
    pub(crate) async fn money(&self, owner: Uuid) -> anyhow::Result<(i64, i64, i64)> {
        let ask = BalancesOf { owner, as_of: None };
        let balances = self
            .0
            .house
            .ledger(Service::Operator)
            .balances(&self.0.call(), ask)
            .await
            .map_err(|e| anyhow!("{e}"))?;
        let of = |kind| {
            balances
                .iter()
                .find(|b| b.key.kind == kind)
                .map_or((0, 0), |b| (b.balance.minor(), b.reserved.minor()))
        };
        let (available, reserved) = of(AccountKind::Available);
        Ok((available, reserved, of(AccountKind::Held).0))
    }
}

story!(a_user_opens_an_account_tops_up_and_withdraws, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    world.assert_matched().await?;
    let kept = "SELECT 1 FROM custody_instruction WHERE body LIKE '%A. Person%'";
    assert!(world.house.db.read().one(kept, []).await?.is_none(), "the name is the custodian's to keep");

    let withdraw = |id, minor| Withdraw { id, party: ann, amount: usd(minor) };
    let (id, me) = (actors.instruction(), actors.as_person(ann));
    let view = actors.gateway().withdraw(&me, withdraw(id, 30_00)).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(view.status, InstructionStatus::AwaitingUser);
    assert_eq!(actors.money(ann.0).await?, (100_00, 30_00, 0), "set aside before the user confirms");
    assert!(matches!(world.proof().await?.verdict, Verdict::InFlight { count: 1, .. }));

    // The same id again answers as before, with other content it is refused.
    let again = actors.gateway().withdraw(&me, withdraw(id, 30_00)).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(again.redirect_url, view.redirect_url);
    let other = actors.gateway().withdraw(&me, withdraw(id, 30_01)).await;
    assert_eq!(other, Err(Refused::Refused(CustodyError::InstructionIdTaken)));
    let beyond = actors.gateway().withdraw(&me, withdraw(actors.instruction(), i64::MAX)).await;
    assert_eq!(beyond, Err(Refused::Refused(CustodyError::AmountTooLarge)));
    let wish = actors.instruction();
    let much = actors.gateway().withdraw(&me, withdraw(wish, 70_01)).await;
    assert_eq!(much, Err(Refused::Refused(CustodyError::InsufficientFunds)));
    // A refusal leaves no trace: the id may be used for what there is.
    let less = actors.gateway().withdraw(&me, withdraw(wish, 70_02)).await;
    assert_eq!(less, Err(Refused::Refused(CustodyError::InsufficientFunds)));

    actors.confirm(&view).await?;
    world.wait(10).await?;
    assert_eq!(actors.money(ann.0).await?, (70_00, 0, 0));
    assert_eq!(actors.status(id).await?.0, InstructionStatus::Settled);
    world.assert_matched().await?;

    // Nobody acts for somebody else, and nobody sees their instructions.
    let bob = actors.person().await?;
    let theft = actors.gateway().withdraw(&actors.as_person(bob), withdraw(actors.instruction(), 1)).await;
    assert_eq!(theft, Err(Refused::Forbidden));
    let peek =
        actors.gateway().instruction(&actors.as_person(bob), InstructionOf { id, newest: false }).await;
    assert_eq!(peek, Err(Refused::Refused(CustodyError::InstructionNotFound)));
    Ok(())
});

story!(a_user_sees_the_custodians_side_and_what_they_allow, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    let (me, of) = (actors.as_person(ann), CashAccountOf { party: ann });
    let cash = |call: Call| {
        let (custody, of) = (actors.gateway(), of.clone());
        async move { custody.cash_balances(&call, of).await }
    };
    assert_eq!(cash(me.clone()).await, Ok(vec![usd(100_00)]));

    // What is on its way out of the bank is out of the balance, to the cent.
    let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_01) };
    let view = actors.gateway().withdraw(&me, withdraw).await.map_err(|e| anyhow!("{e}"))?;
    actors.confirm(&view).await?;
    world.wait(10).await?;
    let me = actors.as_person(ann);
    assert_eq!(cash(me.clone()).await, Ok(vec![usd(69_99)]));
    assert_eq!(actors.money(ann.0).await?.0, 69_99, "as in the ledger");

    let allowed = actors.gateway().consents(&me, of.clone()).await.map_err(|e| anyhow!("{e}"))?;
    assert!(allowed.consents.is_empty() && allowed.url.contains("/account?no="), "{allowed:?}");
    actors.allow(ann, ConsentScope::Bid, 20_00, 50_00).await?;
    let me = actors.as_person(ann);
    let allowed = actors.gateway().consents(&me, of.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let [one] = allowed.consents.as_slice() else { anyhow::bail!("one consent, not {allowed:?}") };
    assert_eq!(
        (one.scope, one.per_order, one.total, one.used),
        (ConsentScope::Bid, usd(20_00), usd(50_00), usd(0))
    );

    // Nobody else sees either; what the last proof said is everybody's.
    let bob = actors.person().await?;
    let other = actors.as_person(bob);
    assert_eq!(cash(other.clone()).await, Err(Refused::Forbidden));
    assert_eq!(actors.gateway().consents(&other, of.clone()).await, Err(Refused::Forbidden));
    assert_eq!(cash(actors.as_person(bob)).await, Err(Refused::Forbidden));
    let report = world.proof().await?;
    let last = actors.gateway().last_proof(&other, LastProofOf {}).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(last, Some(ProofSummary::from(&report)));
    assert_eq!(report.totals, vec![(usd(69_99), usd(69_99))]);
    Ok(())
});

story!(a_user_who_refuses_or_stays_away_loses_nothing, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_00) };
    let view =
        actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
    let url = view.redirect_url.clone().context("a page")?;
    let (status, body) = world.at_custodian(&url, "decision=confirm&password=wrong-horse").await?;
    assert_eq!((status, body.contains("The payment password is wrong")), (422, true));
    world.at_custodian(&url, "decision=refuse").await?;
    world.wait(5).await?;
    assert_eq!(actors.status(view.id).await?, (InstructionStatus::Cancelled, "USER_REFUSED".into()));
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));

    let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_00) };
    let view =
        actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
    world.wait(16 * 60).await?;
    assert_eq!(actors.status(view.id).await?, (InstructionStatus::Expired, "USER_LEFT".into()));
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    let (status, _) = world.at_custodian(&view.redirect_url.context("a page")?, CONFIRM).await?;
    assert_eq!(status, 410);
    world.assert_matched().await
});

story!(a_payment_password_cannot_be_guessed, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_00) };
    let view =
        actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
    let url = view.redirect_url.clone().context("a page")?;
    // The right one takes back what was wrong before.
    world.at_custodian(&url, "decision=confirm&password=wrong-horse").await?;
    world.at_custodian(&url, CONFIRM).await?;
    world.wait(5).await?;
    assert_eq!(actors.status(view.id).await?.0, InstructionStatus::Settled);

    let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_00) };
    let view =
        actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
    let url = view.redirect_url.clone().context("a page")?;
    // Twenty at once are no more guesses than one after the other.
    let guess = |n: u32| {
        let form = format!("decision=confirm&password=guess-number-{n}");
        let (world, url) = (&world, &url);
        async move { world.at_custodian(url, &form).await }
    };
    let heard = futures::future::join_all((0..20).map(guess)).await;
    let heard = heard.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let looked_at = heard.iter().filter(|(_, body)| body.contains("The payment password is wrong")).count();
    let locked = heard.iter().filter(|(_, body)| body.contains("wrong too often. Please call us")).count();
    assert_eq!((looked_at, locked), (5, 15));
    let (status, body) = world.at_custodian(&url, CONFIRM).await?;
    assert_eq!((status, body.contains("wrong too often")), (422, true), "not even the right one");
    assert_eq!(actors.money(ann.0).await?.0, 70_00, "nothing was moved");
    Ok(())
});

story!(what_is_typed_is_no_script_at_the_custodian, |world| {
    let actors = Actors(&world);
    let party = PartyId(world.uuid());
    let name = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>";
    let open = OpenCashAccount { id: actors.instruction(), party, name: name.into() };
    let view =
        actors.gateway().open_account(&actors.as_person(party), open).await.map_err(|e| anyhow!("{e}"))?;
    let url = view.redirect_url.context("a page")?;
    // What was typed wrong stands in the page again.
    let form = "decision=confirm&password=short&bank_account=%22%3E%3Cscript%3Ealert(3)%3C%2Fscript%3E";
    let (status, body) = world.at_custodian(&url, form).await?;
    assert_eq!(status, 422);
    assert!(body.contains("&lt;script&gt;"), "{body}");
    assert!(!body.contains("<script") && !body.contains("<img"), "{body}");
    let page =
        axum::http::Request::get(url.replace("http://bank.test", "")).body(axum::body::Body::empty())?;
    let page = tower::ServiceExt::oneshot(custodian::api::router(world.bank.clone()), page).await?;
    let policy = page.headers()["content-security-policy"].to_str()?.to_string();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    Ok(())
});

/// Two investors, one borrower, one loan, one repayment, with a fault planned before each step.
pub(crate) async fn loans_money(world: &World, fault: Option<fn() -> Fault>) -> anyhow::Result<()> {
    let actors = Actors(world);
    let plan = |operation: &str| {
        if let Some(fault) = fault {
            world.bank.faults.plan(Planned::times(operation, fault(), 1));
        }
    };
    let (ann, bob, cem) = (actors.rich(600_00).await?, actors.rich(600_00).await?, actors.person().await?);
    for investor in [ann, bob] {
        actors.allow(investor, ConsentScope::Bid, 500_00, 1_000_00).await?;
    }
    actors.allow(cem, ConsentScope::Fee, 20_00, 20_00).await?;
    actors.allow(cem, ConsentScope::Repay, 600_00, 2_000_00).await?;
    let project = actors.project(cem, 1_000_00).await?;

    plan("freeze");
    let a = actors.freeze(ann, project, project, FreezePurpose::Bid, 500_00).await?;
    let b = actors.freeze(bob, project, project, FreezePurpose::Bid, 500_00).await?;
    world.wait(2).await?;
    world.wait(40).await?;
    for freeze in [&a, &b] {
        assert_eq!(actors.status(freeze.id).await?.0, InstructionStatus::Settled);
    }
    assert_eq!(actors.money(ann.0).await?, (600_00, 500_00, 0));
    world.assert_matched().await?;

    plan("disburse");
    let line = |freeze: &InstructionView| DisburseLine {
        line: LineId(world.uuid()),
        freeze: freeze.id,
        amount: usd(500_00),
    };
    let disburse =
        Disburse { id: actors.instruction(), project, borrower: cem, lines: vec![line(&a), line(&b)] };
    actors.inside().disburse(&world.call(), disburse.clone()).await.map_err(|e| anyhow!("{e}"))?;
    world.wait(2).await?;
    world.wait(40).await?;
    assert_eq!(actors.status(disburse.id).await?.0, InstructionStatus::Settled);
    assert_eq!((actors.money(ann.0).await?, actors.money(cem.0).await?), ((100_00, 0, 0), (0, 0, 1_000_00)));
    world.assert_matched().await?;

    plan("unblock");
    let unblock = Unblock { id: actors.instruction(), project, borrower: cem, amount: usd(1_000_00) };
    actors.inside().unblock(&world.call(), unblock).await.map_err(|e| anyhow!("{e}"))?;
    world.wait(2).await?;
    world.wait(40).await?;
    plan("fee");
    let fee = ChargeFee { id: actors.instruction(), project, payer: cem, amount: usd(20_00) };
    actors.inside().charge_fee(&world.call(), fee).await.map_err(|e| anyhow!("{e}"))?;
    world.wait(2).await?;
    world.wait(40).await?;
    assert_eq!(actors.money(cem.0).await?, (980_00, 0, 0));
    assert_eq!(actors.money(PLATFORM).await?, (0, 0, 0), "a fee is income, not available money");
    let report = world.proof().await?;
    assert_eq!(report.income, [(usd(20_00), usd(20_00))]);
    world.assert_matched().await?;

    let loan = world.uuid();
    actors.control(loan, None).await?;
    let frozen = actors.freeze(cem, project, loan, FreezePurpose::Repay, 600_01).await;
    assert_eq!(
        frozen?.status,
        InstructionStatus::AwaitingUser,
        "above the consent's limit the user is asked"
    );
    plan("freeze");
    let frozen = actors.freeze(cem, project, loan, FreezePurpose::Repay, 300_01).await?;
    world.wait(2).await?;
    world.wait(40).await?;
    plan("repay");
    let line = |holder, minor, principal| RepayLine {
        line: LineId(world.uuid()),
        holder,
        amount: usd(minor),
        principal: usd(principal),
    };
    let lines = vec![line(ann, 150_00, 148_00), line(bob, 150_01, 148_01)];
    let repay = Repay { id: actors.instruction(), project, borrower: cem, freeze: frozen.id, lines };
    actors.inside().repay(&world.call(), repay.clone()).await.map_err(|e| anyhow!("{e}"))?;
    world.wait(2).await?;
    world.wait(40).await?;
    assert_eq!(actors.status(repay.id).await?.0, InstructionStatus::Settled);
    assert_eq!((actors.money(ann.0).await?, actors.money(bob.0).await?), ((250_00, 0, 0), (250_01, 0, 0)));
    // The page nobody came to runs out, and what was set aside for it is free again.
    world.wait(16 * 60).await?;
    assert_eq!(actors.money(cem.0).await?, (679_99, 0, 0));
    world.assert_matched().await
}

story!(the_money_of_a_loan_from_bid_to_repayment, |world| { loans_money(&world, None).await });

story!(a_lost_reply_doubles_nothing, |world| { loans_money(&world, Some(|| Fault::LostReply)).await });

story!(a_lost_request_loses_nothing, |world| { loans_money(&world, Some(|| Fault::LostRequest)).await });

story!(a_lost_notification_is_not_missed, |world| {
    loans_money(&world, Some(|| Fault::LostNotification)).await
});

story!(a_repeated_notification_repeats_nothing, |world| {
    loans_money(&world, Some(|| Fault::RepeatedNotification { times: 3 })).await
});

story!(what_the_custodian_refuses_frees_what_was_set_aside, |world| {
    let actors = Actors(&world);
    let (ann, cem) = (actors.rich(600_00).await?, actors.person().await?);
    let project = actors.project(cem, 100_00).await?;

    // Without consent the user is asked on the custodian's page; the custodian watches the project's limit itself.
    let asked = actors.freeze(ann, project, project, FreezePurpose::Bid, 40_00).await?;
    assert_eq!(asked.status, InstructionStatus::AwaitingUser);
    actors.confirm(&asked).await?;
    assert_eq!(actors.status(asked.id).await?.0, InstructionStatus::Settled);
    actors.allow(ann, ConsentScope::Bid, 500_00, 500_00).await?;
    let other = world.uuid();
    actors.control(other, None).await?;
    let over = actors.freeze(ann, project, other, FreezePurpose::Bid, 60_01).await?;
    assert_eq!((over.status, over.code.as_str()), (InstructionStatus::Failed, "PROJECT_FULL"));
    assert_eq!(actors.money(ann.0).await?, (600_00, 40_00, 0));

    // Nobody bids on their own loan, and no fee goes beyond what was agreed.
    actors.allow(cem, ConsentScope::Fee, 100_00, 100_00).await?;
    let fee = ChargeFee { id: actors.instruction(), project, payer: cem, amount: usd(2_01) };
    let fee = actors.inside().charge_fee(&world.call(), fee).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(fee.code, "OVER_FEE_MAX");
    let fee = ChargeFee { id: actors.instruction(), project, payer: ann, amount: usd(1) };
    let fee = actors.inside().charge_fee(&world.call(), fee).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(fee.code, "FORBIDDEN_PURPOSE", "client principal never reaches the platform");

    // Given back: the reservation is voided when the custodian has done so.
    let unfreeze = Unfreeze { id: actors.instruction(), freeze: asked.id };
    actors.inside().unfreeze(&world.call(), unfreeze).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!(actors.money(ann.0).await?, (600_00, 0, 0));
    world.assert_matched().await
});

story!(nobody_uses_an_id_that_the_platform_derives, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    let bid = kernel::id::BidId(world.uuid());
    for id in [derived::bid_freeze(bid), InstructionId(Uuid::nil()), InstructionId(PLATFORM)] {
        let top_up = TopUp { id, party: ann, amount: usd(1) };
        let squatted = actors.gateway().top_up(&actors.as_person(ann), top_up).await;
        assert!(matches!(squatted, Err(Refused::Malformed(_))), "{squatted:?}");
    }
    Ok(())
});

story!(a_page_whose_reply_was_lost_is_found_again, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    world.bank.faults.plan(Planned::times("withdraw", Fault::LostReply, 1));
    let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_00) };
    let view =
        actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
    world.wait(10).await?;
    let ask = InstructionOf { id: view.id, newest: false };
    let view = actors.gateway().instruction(&actors.as_person(ann), ask).await.map_err(|e| anyhow!("{e}"))?;
    actors.confirm(&view).await?;
    world.wait(10).await?;
    assert_eq!(actors.money(ann.0).await?, (70_00, 0, 0));
    world.assert_matched().await
});

story!(an_order_outlasts_a_custodian_that_is_away_for_hours, |world| {
    let actors = Actors(&world);
    let (ann, cem) = (actors.rich(100_00).await?, actors.person().await?);
    actors.allow(ann, ConsentScope::Bid, 50_00, 50_00).await?;
    let project = actors.project(cem, 40_00).await?;
    let frozen = actors.freeze(ann, project, project, FreezePurpose::Bid, 40_00).await?;
    world.settle().await?;
    world.bank.faults.plan(Planned::times("unfreeze", Fault::LostRequest, 5));
    let unfreeze = Unfreeze { id: actors.instruction(), freeze: frozen.id };
    actors.inside().unfreeze(&world.call(), unfreeze.clone()).await.map_err(|e| anyhow!("{e}"))?;
    for _ in 0..8 {
        world.wait(1_900).await?;
    }
    assert_eq!(actors.status(unfreeze.id).await?.0, InstructionStatus::Settled);
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    world.assert_matched().await
});

story!(one_line_fails_and_the_others_stand, |world| {
    let actors = Actors(&world);
    let (ann, bob, cem) = (actors.rich(500_00).await?, actors.rich(500_00).await?, actors.person().await?);
    for investor in [ann, bob] {
        actors.allow(investor, ConsentScope::Bid, 500_00, 500_00).await?;
    }
    let project = actors.project(cem, 1_000_00).await?;
    let a = actors.freeze(ann, project, project, FreezePurpose::Bid, 500_00).await?;
    let b = actors.freeze(bob, project, project, FreezePurpose::Bid, 500_00).await?;
    world.settle().await?;
    let good = DisburseLine { line: LineId(world.uuid()), freeze: a.id, amount: usd(500_00) };
    let bad = DisburseLine { line: LineId(world.uuid()), freeze: b.id, amount: usd(499_99) };
    let disburse =
        Disburse { id: actors.instruction(), project, borrower: cem, lines: vec![good.clone(), bad] };
    actors.inside().disburse(&world.call(), disburse.clone()).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!(actors.status(disburse.id).await?.0, InstructionStatus::Partial);
    assert_eq!(
        (actors.money(cem.0).await?, actors.money(bob.0).await?),
        ((0, 0, 500_00), (500_00, 500_00, 0))
    );

    // Undone: back to the line's own source, and at most what it brought.
    let reverse = |minor| ReverseLine {
        id: actors.instruction(),
        batch: disburse.id,
        line: good.line,
        amount: usd(minor),
    };
    let over =
        actors.inside().reverse_line(&world.call(), reverse(500_01)).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(over.code, "REVERSAL_EXCEEDS_LINE");
    actors.inside().reverse_line(&world.call(), reverse(500_00)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!((actors.money(cem.0).await?, actors.money(ann.0).await?), ((0, 0, 0), (500_00, 0, 0)));
    world.assert_matched().await
});

story!(lines_that_come_after_they_were_given_up_count_once, |world| {
    let actors = Actors(&world);
    let (ann, bob, cem) = (actors.rich(500_00).await?, actors.rich(500_00).await?, actors.person().await?);
    for investor in [ann, bob] {
        actors.allow(investor, ConsentScope::Bid, 500_00, 500_00).await?;
    }
    let project = actors.project(cem, 1_000_00).await?;
    let a = actors.freeze(ann, project, project, FreezePurpose::Bid, 500_00).await?;
    let b = actors.freeze(bob, project, project, FreezePurpose::Bid, 500_00).await?;
    world.settle().await?;
    let line = |freeze| DisburseLine { line: LineId(world.uuid()), freeze, amount: usd(500_00) };
    let lines = vec![line(a.id), line(b.id)];
    let failed = format!("\"failed\":[\"{}\",\"{}\"]", lines[0].line, lines[1].line);
    let disburse = Disburse { id: actors.instruction(), project, borrower: cem, lines };
    actors.inside().disburse(&world.call(), disburse.clone()).await.map_err(|e| anyhow!("{e}"))?;
    // We believe that every line has failed; then the movements come after all.
    let db = world.house.db.read();
    let sql = "UPDATE custody_instruction SET status = 'FAILED', lines_failed = 2, context = REPLACE(context, $1, $2) WHERE id = $3";
    db.run(sql, ["\"failed\":[]".into(), failed.into(), disburse.id.0.into()]).await?;
    for _ in 0..3 {
        world.wait(600).await?;
    }
    assert_eq!(actors.status(disburse.id).await?.0, InstructionStatus::Settled);
    assert_eq!(actors.money(cem.0).await?, (0, 0, 1_000_00));
    // Each project frees what it brought, and nothing of another's.
    let unblock =
        |project, minor| Unblock { id: actors.instruction(), project, borrower: cem, amount: usd(minor) };
    let other = actors.project(cem, 100_00).await?;
    for (project, minor) in [(other, 1), (project, 1_000_01)] {
        let view = actors.inside().unblock(&world.call(), unblock(project, minor)).await;
        assert_eq!(view.map_err(|e| anyhow!("{e}"))?.code, "BLOCKED_AMOUNT");
    }
    world.assert_matched().await
});

story!(a_freeze_that_comes_after_it_was_given_up_goes_back, |world| {
    let actors = Actors(&world);
    let (ann, cem) = (actors.rich(600_00).await?, actors.person().await?);
    let project = actors.project(cem, 100_00).await?;
    let asked = actors.freeze(ann, project, project, FreezePurpose::Bid, 40_00).await?;
    // We believe it failed; then the user confirms after all.
    let db = world.house.db.read();
    db.run("UPDATE custody_instruction SET status = 'FAILED' WHERE id = $1", [asked.id.0.into()]).await?;
    let reservation: String = db
        .one("SELECT context FROM custody_instruction WHERE id = $1", [asked.id.0.into()])
        .await?
        .unwrap()
        .try_get_by_index(0)?;
    let reservation =
        reservation.split("\"reservation\":\"").nth(1).and_then(|r| r.get(..36)).context("a reservation")?;
    let void = Operation::Void {
        id: derived::reservation_void(TransferId(reservation.parse()?)),
        reservation: TransferId(reservation.parse()?),
        code: Code::Bid,
        reference: reservation.parse()?,
    };
    let batch =
        PostBatch { id: BatchId(world.uuid()), linked: true, value_date: None, operations: vec![void] };
    world
        .house
        .ledger(Service::Custody)
        .post_batch(&world.call(), batch)
        .await
        .map_err(|e| anyhow!("{e}"))?;
    actors.confirm(&asked).await?;
    world.wait(5).await?;
    assert_eq!(actors.money(ann.0).await?, (600_00, 0, 0));
    let signed = world.bank.statement().await?;
    assert!(signed.text.contains("\"freezes\":[]"), "{}", signed.text);
    world.assert_matched().await
});

story!(a_fact_that_does_not_fit_goes_through_the_shortfall, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(60_00) };
    let view =
        actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
    // The reservation is lost on our side; the custodian pays out all the same.
    let reservation = derived::withdrawal_reservation(view.id);
    let void = Operation::Void {
        id: TransferId(world.uuid()),
        reservation,
        code: Code::Withdrawal,
        reference: Uuid::nil(),
    };
    let batch =
        PostBatch { id: BatchId(world.uuid()), linked: true, value_date: None, operations: vec![void] };
    world
        .house
        .ledger(Service::Custody)
        .post_batch(&world.call(), batch)
        .await
        .map_err(|e| anyhow!("{e}"))?;
    actors.confirm(&view).await?;
    world.wait(10).await?;
    let report = world.proof().await?;
    assert_eq!(report.verdict, Verdict::Broken);
    assert!(report.lines.iter().all(OwnerLine::matches), "the fact is in the books: {:#?}", report.lines);
    assert!(
        report.findings.iter().any(|f| f.owner == Some(ann.to_string()) && f.what.contains("open break")),
        "{:#?}",
        report.findings
    );
    let more = Withdraw { id: actors.instruction(), party: ann, amount: usd(1) };
    let refused = actors.gateway().withdraw(&actors.as_person(ann), more.clone()).await;
    assert_eq!(refused, Err(Refused::Refused(CustodyError::AccountBlocked)));

    // Two people say that it has been explained, neither of them whose account it is; one who doubts asks again.
    let office = world.house.office(Service::Gateway);
    let watch = actors.staff(world.uuid());
    let queue = QueueOf { ids: Vec::new(), kind: Some(TaskKind::Break), all: false, page: Page::first(10) };
    let ask = || office.queue(&watch, queue.clone());
    let open = ask().await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(open.len(), 1);
    assert!(open[0].about.contains("60.00"), "{}", open[0].about);
    let word = |task, approve| DecideTask { task, approve, note: "the bank confirms it".into() };
    office.decide(&watch, word(open[0].id, false)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    let open = ask().await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(open.len(), 1, "it is still there, and so is the question");
    office.decide(&watch, word(open[0].id, true)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!(world.proof().await?.verdict, Verdict::Broken, "one is not two");
    office.decide(&actors.staff(world.uuid()), word(open[0].id, true)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    world.assert_matched().await?;
    assert_eq!(actors.money(ann.0).await?, (40_00, 0, 0), "what went through the shortfall has been taken");
    let view = actors.gateway().withdraw(&actors.as_person(ann), more).await.map_err(|e| anyhow!("{e}"))?;
    actors.confirm(&view).await?;
    world.assert_matched().await
});

story!(every_tampering_is_found_and_names_the_user, |world| {
    let actors = Actors(&world);
    let (ann, cem) = (actors.rich(100_00).await?, actors.person().await?);
    actors.allow(ann, ConsentScope::Bid, 50_00, 50_00).await?;
    let project = actors.project(cem, 40_00).await?;
    actors.freeze(ann, project, project, FreezePurpose::Bid, 40_00).await?;
    world.settle().await?;
    world.assert_matched().await?;
    let db = world.house.db.read();
    let who = Some(ann.to_string());
    let broken = async |what: &str| {
        let report = world.proof().await?;
        let named = report.findings.iter().any(|f| f.owner == who);
        anyhow::ensure!(
            report.verdict == Verdict::Broken && named,
            "{what}: {}\n{:#?}",
            report.last_line(),
            report.findings
        );
        anyhow::Ok(())
    };

    // One minor unit in custody's record.
    db.run("UPDATE custody_movement SET amount = amount + 1 WHERE number = 1", []).await?;
    broken("record").await?;
    db.run("UPDATE custody_movement SET amount = amount - 1 WHERE number = 1", []).await?;
    world.assert_matched().await?;

    // One minor unit in the kept statement, judged without the custodian.
    let custody = world.house.custody(Service::Operator);
    let offline = || async {
        custody.proof(&world.call(), ProveBooks { offline: true }).await.map_err(|e| anyhow!("{e}"))
    };
    assert_eq!(offline().await?.verdict, Verdict::Matched);
    db.run(
        "UPDATE custody_statement SET text = REPLACE(text, '\"available\":6000', '\"available\":6001')",
        [],
    )
    .await?;
    let report = offline().await?;
    assert!(report.findings.iter().any(|f| f.owner == who), "{:#?}", report.findings);
    assert!(report.findings.iter().any(|f| f.what.contains("signature")), "{:#?}", report.findings);
    world.assert_matched().await?;

    // A mirror posted twice, under another id.
    let outside = key(ann.0, AccountKind::Outside).id();
    let available = key(ann.0, AccountKind::Available).id();
    let post = async |debit, credit| {
        let operation = Operation::Transfer {
            id: TransferId(world.uuid()),
            debit,
            credit,
            amount: usd(100_00),
            code: Code::TopUp,
            reference: Uuid::nil(),
        };
        let batch = PostBatch {
            id: BatchId(world.uuid()),
            linked: true,
            value_date: None,
            operations: vec![operation],
        };
        world
            .house
            .ledger(Service::Custody)
            .post_batch(&world.call(), batch)
            .await
            .map_err(|e| anyhow!("{e}"))
    };
    post(outside, available).await?;
    broken("mirror twice").await?;
    // Even when somebody makes the sums fit again, the batches betray it.
    post(outside, available).await?;
    broken("mirror thrice").await?;
    Ok(())
});

story!(a_lost_mirror_and_a_leaked_freeze_are_found, |world| {
    let actors = Actors(&world);
    let (ann, cem) = (actors.rich(100_00).await?, actors.person().await?);
    actors.allow(ann, ConsentScope::Bid, 50_00, 50_00).await?;
    let project = actors.project(cem, 40_00).await?;
    let frozen = actors.freeze(ann, project, project, FreezePurpose::Bid, 40_00).await?;
    world.settle().await?;
    let db = world.house.db.read();
    let who = Some(ann.to_string());

    // A leaked freeze: frozen there, nothing set aside here.
    let text: String = db
        .one("SELECT context FROM custody_instruction WHERE id = $1", [frozen.id.0.into()])
        .await?
        .unwrap()
        .try_get_by_index(0)?;
    let reservation =
        text.split("\"reservation\":\"").nth(1).and_then(|r| r.get(..36)).context("a reservation")?;
    let void = Operation::Void {
        id: TransferId(world.uuid()),
        reservation: TransferId(reservation.parse()?),
        code: Code::Bid,
        reference: Uuid::nil(),
    };
    let batch =
        PostBatch { id: BatchId(world.uuid()), linked: true, value_date: None, operations: vec![void] };
    world
        .house
        .ledger(Service::Custody)
        .post_batch(&world.call(), batch)
        .await
        .map_err(|e| anyhow!("{e}"))?;
    let report = world.proof().await?;
    assert!(
        report.findings.iter().any(|f| f.owner == who && f.what.contains("frozen and nothing in the ledger")),
        "{:#?}",
        report.findings
    );

    // A mirror that never reached the ledger although it is marked.
    let top_up = TopUp { id: actors.instruction(), party: ann, amount: usd(5_00) };
    let view = actors.gateway().top_up(&actors.as_person(ann), top_up).await.map_err(|e| anyhow!("{e}"))?;
    world.house.stop_service(Service::Ledger).await;
    let (status, _) = world.at_custodian(&view.redirect_url.context("a page")?, CONFIRM).await?;
    assert_eq!(status, 200);
    world.settle().await.expect_err("the mirror waits for the ledger");
    db.run("UPDATE custody_movement SET mirrored = $1", [true.into()]).await?;
    world.house.start_service(Service::Ledger);
    let report = world.proof().await?;
    assert!(
        report.findings.iter().any(|f| f.owner == who && f.what.contains("mirror of movement")),
        "{:#?}",
        report.findings
    );
    // Unmarked it is mirrored at last.
    db.run(
        "UPDATE custody_movement SET mirrored = $1 WHERE number = (SELECT max(number) FROM custody_movement)",
        [false.into()],
    )
    .await?;
    world.wait(40).await?;
    assert_eq!(actors.money(ann.0).await?, (105_00, 0, 0));
    Ok(())
});

story!(strangers_at_either_door_are_refused, |world| {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;
    let ask = |path: &str| {
        Request::post(path.to_string())
            .header("content-type", "application/json")
            .body(Body::from("{}"))
            .unwrap()
    };
    let at_bank = custodian::api::router(world.bank.clone()).oneshot(ask("/api/statement")).await?;
    assert_eq!(at_bank.status().as_u16(), 401);
    let at_us = counterfoil::notices::router(world.house.custody_door())
        .oneshot(ask(counterfoil::notices::PATH))
        .await?;
    assert_eq!(at_us.status().as_u16(), 401);
    Ok(())
});

story!(the_anchor_kept_by_the_custodian_betrays_a_cut_chain, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    let custody = world.house.custody(Service::Operator);
    custody.anchor(&world.call(), AnchorBooks::default()).await.map_err(|e| anyhow!("{e}"))?;
    world.assert_matched().await?;
    let db = world.house.db.read();
    for statement in [
        "DELETE FROM ledger_transfer",
        "DELETE FROM ledger_link",
        "UPDATE ledger_account SET credits_posted = 0, debits_posted = 0",
    ] {
        db.run(statement, []).await?;
    }
    db.run("UPDATE ledger_head SET link = 0, position = 0, hash = $1", [vec![0u8; 32].into()]).await?;
    let report = world.proof().await?;
    assert!(
        report.findings.iter().any(|f| f.what.contains("entries were cut off")),
        "{:#?}",
        report.findings
    );
    assert!(report.findings.iter().any(|f| f.owner == Some(ann.to_string())), "{:#?}", report.findings);
    Ok(())
});
