//! The ledger: what it answers, what it refuses, what it proves.

use anyhow::{Context, anyhow};
use finance::{Currency, Money};
use futures::future::join_all;
use kernel::call::Service;
use kernel::id::{AccountId, BatchId, TransferId};
use ledger_api::batch::{Code, Operation, OutcomeCode, PendingState, PostBatch, Posted};
use ledger_api::{
    AccountKey, AccountKind, BalancesOf, Flags, Ledger, LedgerClient, LedgerError, OpenAccount, OpenAccounts,
    PendingsOf, ProofOf, SetFlags, StatementOf,
};
use platform::Fault;
use platform::db::Sql;
use tests::story;
use tests::world::World;
use uuid::Uuid;

const BANK: &str = "harbour";

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn key(owner: Uuid, kind: AccountKind) -> AccountKey {
    AccountKey { owner, currency: Currency::USD, custodian: BANK.into(), kind }
}

/// A hand at the ledger, with the rights of custody.
struct Teller<'a> {
    world: &'a World,
    ledger: LedgerClient,
}

impl<'a> Teller<'a> {
    fn new(world: &'a World, caller: Service) -> Teller<'a> {
        Teller { world, ledger: world.house.ledger(caller) }
    }

    async fn open(
        &self,
        owner: Uuid,
        kind: AccountKind,
        credit_limit: Option<i64>,
    ) -> anyhow::Result<AccountId> {
        let accounts = vec![OpenAccount { key: key(owner, kind), credit_limit }];
        let opened = self.ledger.open_accounts(&self.world.call(), OpenAccounts { accounts }).await;
        Ok(opened.map_err(|e| anyhow!("{e}"))?[0].id)
    }

    /// A user with money from the world.
    async fn user(&self, minor: i64) -> anyhow::Result<(Uuid, AccountId)> {
        let owner = self.world.uuid();
        let outside = self.open(owner, AccountKind::Outside, None).await?;
        let available = self.open(owner, AccountKind::Available, None).await?;
        if minor > 0 {
            let posted =
                self.post(false, vec![self.transfer(outside, available, minor, Code::TopUp)]).await?;
            assert!(posted.all_posted());
        }
        Ok((owner, available))
    }

    fn transfer(&self, debit: AccountId, credit: AccountId, minor: i64, code: Code) -> Operation {
        let (id, reference) = (TransferId(self.world.uuid()), Uuid::nil());
        Operation::Transfer { id, debit, credit, amount: usd(minor), code, reference }
    }

    fn reserve(&self, debit: AccountId, credit: AccountId, minor: i64) -> Operation {
        let (id, reference) = (TransferId(self.world.uuid()), Uuid::nil());
        Operation::Reserve { id, debit, credit, amount: usd(minor), code: Code::Bid, reference }
    }

    fn post_part(&self, reservation: TransferId, minor: Option<i64>) -> Operation {
        let (id, reference) = (TransferId(self.world.uuid()), Uuid::nil());
        Operation::Post { id, reservation, amount: minor.map(usd), code: Code::Disbursement, reference }
    }

    fn void(&self, reservation: TransferId) -> Operation {
        Operation::Void {
            id: TransferId(self.world.uuid()),
            reservation,
            code: Code::Bid,
            reference: Uuid::nil(),
        }
    }

    async fn post(&self, linked: bool, operations: Vec<Operation>) -> anyhow::Result<Posted> {
        let batch = PostBatch { id: BatchId(self.world.uuid()), linked, value_date: None, operations };
        self.ledger.post_batch(&self.world.call(), batch).await.map_err(|e| anyhow!("{e}"))
    }

    async fn codes(&self, linked: bool, operations: Vec<Operation>) -> anyhow::Result<Vec<OutcomeCode>> {
        Ok(self.post(linked, operations).await?.outcomes.iter().map(|o| o.code).collect())
    }

    async fn disposable(&self, owner: Uuid, kind: AccountKind) -> anyhow::Result<i64> {
        let balances = self.ledger.balances(&self.world.call(), BalancesOf { owner, as_of: None }).await;
        let balances = balances.map_err(|e| anyhow!("{e}"))?;
        let found = balances.iter().find(|b| b.key.kind == kind).context("an account of that kind")?;
        Ok(found.balance.minor() - found.reserved.minor())
    }

    async fn faults(&self) -> anyhow::Result<Vec<String>> {
        let proof = self
            .ledger
            .proof(&self.world.call(), ProofOf { anchor: None })
            .await
            .map_err(|e| anyhow!("{e}"))?;
        Ok(proof.faults.into_iter().map(|f| format!("{:?}: {}", f.owner, f.what)).collect())
    }
}

story!(a_bid_is_reserved_posted_in_parts_and_the_rest_freed, |world| {
    let teller = Teller::new(&world, Service::Custody);
    let (ann, available) = teller.user(100_00).await?;
    let control = teller.open(world.uuid(), AccountKind::Control, Some(80_00)).await?;

    let reserve = teller.reserve(available, control, 60_00);
    let id = reserve.id();
    assert_eq!(teller.codes(false, vec![reserve]).await?, [OutcomeCode::Posted]);
    assert_eq!(teller.disposable(ann, AccountKind::Available).await?, 40_00);

    // Overspending and overfunding are refused in the same place.
    let (poor, _) = teller.user(0).await?;
    let poor = key(poor, AccountKind::Available).id();
    assert_eq!(
        teller.codes(false, vec![teller.reserve(available, control, 20_01)]).await?,
        [OutcomeCode::ExceedsCreditLimit]
    );
    assert_eq!(
        teller.codes(false, vec![teller.reserve(poor, control, 1)]).await?,
        [OutcomeCode::InsufficientFunds]
    );

    assert_eq!(teller.codes(false, vec![teller.post_part(id, Some(25_00))]).await?, [OutcomeCode::Posted]);
    assert_eq!(
        teller.codes(false, vec![teller.post_part(id, Some(35_01))]).await?,
        [OutcomeCode::ExceedsReservation]
    );
    assert_eq!(teller.codes(false, vec![teller.void(id)]).await?, [OutcomeCode::Posted]);
    assert_eq!(teller.codes(false, vec![teller.post_part(id, None)]).await?, [OutcomeCode::ReservationEnded]);
    assert_eq!(teller.disposable(ann, AccountKind::Available).await?, 75_00);

    let found = teller
        .ledger
        .pendings(&world.call(), PendingsOf { ids: vec![id] })
        .await
        .map_err(|e| anyhow!("{e}"))?;
    assert_eq!((found[0].state, found[0].remaining), (PendingState::Voided, usd(35_00)));
    assert_eq!(teller.faults().await?, Vec::<String>::new());
    Ok(())
});

story!(a_linked_batch_takes_effect_wholly_or_not_at_all, |world| {
    let teller = Teller::new(&world, Service::Custody);
    let (ann, a) = teller.user(50_00).await?;
    let (bob, b) = teller.user(0).await?;
    let operations =
        || vec![teller.transfer(a, b, 30_00, Code::Repayment), teller.transfer(a, b, 20_01, Code::Repayment)];
    assert_eq!(
        teller.codes(true, operations()).await?,
        [OutcomeCode::LinkedFailed, OutcomeCode::InsufficientFunds]
    );
    assert_eq!(teller.disposable(ann, AccountKind::Available).await?, 50_00);
    assert_eq!(
        teller.codes(false, operations()).await?,
        [OutcomeCode::Posted, OutcomeCode::InsufficientFunds]
    );
    assert_eq!(teller.disposable(bob, AccountKind::Available).await?, 30_00);
    Ok(())
});

story!(the_same_id_answers_as_before_and_with_other_content_is_refused, |world| {
    let teller = Teller::new(&world, Service::Custody);
    let (_, a) = teller.user(50_00).await?;
    let control = teller.open(world.uuid(), AccountKind::Control, Some(50_00)).await?;
    let first = teller.reserve(a, control, 50_00);
    assert_eq!(teller.codes(false, vec![first.clone()]).await?, [OutcomeCode::Posted]);
    // The listing is full and the money spoken for; the repeat is still answered as before.
    assert_eq!(teller.codes(false, vec![first.clone(), first.clone()]).await?, [OutcomeCode::Posted; 2]);
    let Operation::Reserve { id, debit, credit, code, reference, .. } = first else { unreachable!() };
    let other = Operation::Reserve { id, debit, credit, amount: usd(49_99), code, reference };
    assert_eq!(teller.codes(false, vec![other]).await?, [OutcomeCode::IdTaken]);
    // A refusal leaves no trace: the same id may come again after mending.
    let refused = teller.transfer(a, control, 0, Code::Bid);
    let id = refused.id();
    assert_eq!(teller.codes(false, vec![refused]).await?, [OutcomeCode::AmountNotPositive]);
    let outside = teller.open(world.uuid(), AccountKind::Outside, None).await?;
    let mended = Operation::Transfer {
        id,
        debit: outside,
        credit: a,
        amount: usd(1),
        code: Code::TopUp,
        reference: Uuid::nil(),
    };
    assert_eq!(teller.codes(false, vec![mended]).await?, [OutcomeCode::Posted]);
    Ok(())
});

story!(client_money_is_custodys_alone, |world| {
    let custody = Teller::new(&world, Service::Custody);
    let (_, a) = custody.user(50_00).await?;
    let (_, b) = custody.user(0).await?;
    let control = custody.open(world.uuid(), AccountKind::Control, Some(50_00)).await?;
    for service in [Service::Lending, Service::Investing] {
        let other = Teller::new(&world, service);
        assert_eq!(
            other.codes(false, vec![other.transfer(a, b, 1, Code::Repayment)]).await?,
            [OutcomeCode::NotPermitted]
        );
        let reserve = other.reserve(a, control, 1);
        let id = reserve.id();
        assert_eq!(other.codes(false, vec![reserve]).await?, [OutcomeCode::Posted]);
        assert_eq!(other.codes(false, vec![other.void(id)]).await?, [OutcomeCode::NotPermitted]);
    }
    let gateway = world.house.ledger(Service::Gateway);
    let batch = PostBatch {
        id: BatchId(world.uuid()),
        linked: false,
        value_date: None,
        operations: vec![custody.transfer(a, b, 1, Code::Fee)],
    };
    assert_eq!(gateway.post_batch(&world.call(), batch).await, Err(Fault::Forbidden));
    Ok(())
});

story!(blocked_and_closed_accounts_refuse_in_order_of_precedence, |world| {
    let teller = Teller::new(&world, Service::Custody);
    let (_, a) = teller.user(10_00).await?;
    let (_, b) = teller.user(0).await?;
    let pay = || vec![teller.reserve(a, b, 10_01)];
    for (flags, expected) in [
        (Flags { debit_blocked: true, closed: true, ..Flags::default() }, OutcomeCode::AccountClosed),
        (Flags { debit_blocked: true, ..Flags::default() }, OutcomeCode::DebitBlocked),
        (Flags::default(), OutcomeCode::InsufficientFunds),
    ] {
        teller
            .ledger
            .set_flags(&world.call(), SetFlags { account: a, flags })
            .await
            .map_err(|e| anyhow!("{e}"))?;
        assert_eq!(teller.codes(false, pay()).await?, [expected]);
    }
    // A block keeps more from happening; what has happened at the custodian is posted all the same.
    let flags = Flags { debit_blocked: true, ..Flags::default() };
    let blocked = SetFlags { account: a, flags };
    teller.ledger.set_flags(&world.call(), blocked).await.map_err(|e| anyhow!("{e}"))?;
    let fact = vec![teller.transfer(a, b, 1_00, Code::Repayment)];
    assert_eq!(teller.codes(false, fact).await?, [OutcomeCode::Posted]);
    let nobody = AccountId(world.uuid());
    assert_eq!(
        teller.codes(false, vec![teller.transfer(a, nobody, 1, Code::Fee)]).await?,
        [OutcomeCode::AccountNotFound]
    );
    assert_eq!(
        teller.codes(false, vec![teller.transfer(a, a, 1, Code::Fee)]).await?,
        [OutcomeCode::SameAccount]
    );
    let yen = AccountKey { currency: Currency::JPY, ..key(world.uuid(), AccountKind::Available) };
    let opened = OpenAccounts { accounts: vec![OpenAccount { key: yen.clone(), credit_limit: None }] };
    teller.ledger.open_accounts(&world.call(), opened).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(
        teller.codes(false, vec![teller.transfer(a, yen.id(), 1, Code::Fee)]).await?,
        [OutcomeCode::CurrencyMismatch]
    );
    let empty =
        PostBatch { id: BatchId(world.uuid()), linked: false, value_date: None, operations: Vec::new() };
    assert_eq!(
        teller.ledger.post_batch(&world.call(), empty).await,
        Err(Fault::Refused(LedgerError::BatchEmpty))
    );
    Ok(())
});

story!(
    /// The race: a hundred bids of 100.00 at once on a listing of 1,000.00.
    a_hundred_bids_at_once_fill_a_listing_exactly,
    |world| {
        let teller = Teller::new(&world, Service::Custody);
        let listing = world.uuid();
        let control = teller.open(listing, AccountKind::Control, Some(1_000_00)).await?;
        let mut investors = Vec::new();
        for _ in 0..100 {
            investors.push(teller.user(100_00).await?.1);
        }
        let bids = investors.iter().map(|a| teller.codes(false, vec![teller.reserve(*a, control, 100_00)]));
        let outcomes: Vec<Vec<OutcomeCode>> = join_all(bids).await.into_iter().collect::<Result<_, _>>()?;
        let posted = outcomes.iter().filter(|o| **o == [OutcomeCode::Posted]).count();
        let full = outcomes.iter().filter(|o| **o == [OutcomeCode::ExceedsCreditLimit]).count();
        assert_eq!((posted, full), (10, 90));
        let balances = teller.ledger.balances(&world.call(), BalancesOf { owner: listing, as_of: None }).await;
        assert_eq!(balances.map_err(|e| anyhow!("{e}"))?[0].incoming, usd(1_000_00));
        assert_eq!(teller.faults().await?, Vec::<String>::new());
        Ok(())
    }
);

story!(a_statement_pages_newest_first_and_balances_stand_as_of_a_date, |world| {
    let teller = Teller::new(&world, Service::Custody);
    let (ann, a) = teller.user(10_00).await?;
    let (_, b) = teller.user(0).await?;
    for minor in 1..=5 {
        teller.post(false, vec![teller.transfer(a, b, minor, Code::Repayment)]).await?;
    }
    let mut amounts = Vec::new();
    let mut before = None;
    loop {
        let ask = StatementOf {
            owner: ann,
            currency: Some(Currency::USD),
            before,
            limit: 2,
            with_reservations: false,
            from: None,
            to: None,
            codes: Vec::new(),
        };
        let page = teller.ledger.statement(&world.call(), ask).await.map_err(|e| anyhow!("{e}"))?;
        amounts.extend(page.entries.iter().map(|e| e.amount.minor()));
        before = page.entries.last().map(|e| e.position);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(amounts, [5, 4, 3, 2, 1, 10_00]);
    let today = platform::calendar::today(world.house.db.read()).await?;
    for (date, expected) in [(today, 9_85), (today.pred_opt().unwrap(), 0)] {
        let ask = BalancesOf { owner: ann, as_of: Some(date) };
        let balances = teller.ledger.balances(&world.call(), ask).await.map_err(|e| anyhow!("{e}"))?;
        let available = balances.iter().find(|b| b.key.kind == AccountKind::Available).unwrap();
        assert_eq!(available.balance, usd(expected));
    }
    Ok(())
});

story!(every_tampering_with_the_books_is_named, |world| {
    let teller = Teller::new(&world, Service::Custody);
    let (ann, a) = teller.user(10_00).await?;
    let (_, b) = teller.user(0).await?;
    teller.post(false, vec![teller.transfer(a, b, 3_00, Code::Repayment)]).await?;
    teller.post(false, vec![teller.transfer(a, b, 2_00, Code::Repayment)]).await?;
    let anchor =
        teller.ledger.proof(&world.call(), ProofOf { anchor: None }).await.map_err(|e| anyhow!("{e}"))?.head;
    let db = world.house.db.read();
    let named = |faults: &[String], what: &str| {
        faults.iter().any(|f| f.contains(&ann.to_string()) && f.contains(what))
    };

    // One minor unit in an account.
    db.run("UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id = $1", [a.0.into()])
        .await?;
    assert!(named(
        &teller.faults().await?,
        "AVAILABLE does not add up from its entries: it is off by USD 0.01 posted"
    ));
    db.run("UPDATE ledger_account SET credits_posted = credits_posted - 1 WHERE id = $1", [a.0.into()])
        .await?;

    // An account given to somebody else.
    db.run("UPDATE ledger_account SET custodian = 'other' WHERE id = $1", [a.0.into()]).await?;
    assert!(named(&teller.faults().await?, "does not belong to this owner"));
    db.run("UPDATE ledger_account SET custodian = $2 WHERE id = $1", [a.0.into(), BANK.into()]).await?;

    // One minor unit in an entry, with the sums made to fit: the chain tells.
    db.run("UPDATE ledger_transfer SET amount = amount + 1 WHERE debit = $1 AND amount = 300", [a.0.into()])
        .await?;
    db.run("UPDATE ledger_account SET debits_posted = debits_posted + 1 WHERE id = $1", [a.0.into()]).await?;
    db.run("UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id = $1", [b.0.into()])
        .await?;
    assert!(named(&teller.faults().await?, "does not follow from its entries"));
    db.run("UPDATE ledger_transfer SET amount = amount - 1 WHERE debit = $1 AND amount = 301", [a.0.into()])
        .await?;
    db.run("UPDATE ledger_account SET debits_posted = debits_posted - 1 WHERE id = $1", [a.0.into()]).await?;
    db.run("UPDATE ledger_account SET credits_posted = credits_posted - 1 WHERE id = $1", [b.0.into()])
        .await?;
    assert_eq!(teller.faults().await?, Vec::<String>::new());

    // The last entry cut off with its link, sums and head made to fit: only the anchor tells.
    db.run("DELETE FROM ledger_transfer WHERE position = (SELECT max(position) FROM ledger_transfer)", [])
        .await?;
    db.run("DELETE FROM ledger_link WHERE link = (SELECT max(link) FROM ledger_link)", []).await?;
    db.run("UPDATE ledger_account SET debits_posted = debits_posted - 200 WHERE id = $1", [a.0.into()])
        .await?;
    db.run("UPDATE ledger_account SET credits_posted = credits_posted - 200 WHERE id = $1", [b.0.into()])
        .await?;
    let last = "(SELECT max(link) FROM ledger_link)";
    db.run(
        format!(
            "UPDATE ledger_head SET link = {last}, position = (SELECT max(position) FROM ledger_transfer),
             hash = (SELECT hash FROM ledger_link WHERE link = {last})"
        ),
        [],
    )
    .await?;
    assert_eq!(teller.faults().await?, Vec::<String>::new());
    let proof = teller
        .ledger
        .proof(&world.call(), ProofOf { anchor: Some(anchor) })
        .await
        .map_err(|e| anyhow!("{e}"))?;
    assert!(proof.faults[0].what.contains("entries were cut off"), "{:?}", proof.faults);
    Ok(())
});

#[tokio::test]
async fn the_database_is_the_last_authority() -> anyhow::Result<()> {
    for kind in [tests::database::Kind::Sqlite, tests::database::Kind::Postgres] {
        let world = World::start(kind, counterfoil::modules::Reach::Direct).await?;
        let teller = Teller::new(&world, Service::Custody);
        let (_, a) = teller.user(10_00).await?;
        let listing = teller.open(world.uuid(), AccountKind::Control, Some(5_00)).await?;
        let db = world.house.db.read();
        let overdrawn =
            db.run("UPDATE ledger_account SET debits_posted = 1001 WHERE id = $1", [a.0.into()]).await;
        assert!(overdrawn.is_err());
        let overfunded =
            db.run("UPDATE ledger_account SET credits_pending = 501 WHERE id = $1", [listing.0.into()]).await;
        assert!(overfunded.is_err());
    }
    Ok(())
}

story!(a_statement_says_what_one_had_after_each_line, |world| {
    let teller = Teller::new(&world, Service::Custody);
    let (ann, available) = teller.user(100_01).await?;
    let (_, other) = teller.user(0).await?;
    let held = teller.open(ann, AccountKind::Held, None).await?;
    let control = teller.open(world.uuid(), AccountKind::Control, Some(80_00)).await?;
    let reserve = teller.reserve(available, control, 60_00);
    let id = reserve.id();
    for operation in [
        reserve,
        teller.transfer(available, other, 10_02, Code::Repayment),
        teller.post_part(id, Some(25_00)),
        // From one of one's own accounts to the other: nothing comes in and nothing goes out.
        teller.transfer(available, held, 3_00, Code::DisbursementUnblocked),
        teller.transfer(held, other, 99, Code::Repayment),
    ] {
        assert!(teller.post(false, vec![operation]).await?.all_posted());
    }
    let everything = StatementOf {
        owner: ann,
        currency: None,
        before: None,
        limit: 100,
        with_reservations: false,
        from: None,
        to: None,
        codes: Vec::new(),
    };
    // However it is cut into pages, each line says what there was after it, to the cent.
    for limit in [1, 2, 100] {
        let (mut before, mut read) = (None, Vec::new());
        loop {
            let ask = StatementOf { before, limit, ..everything.clone() };
            let page = teller.ledger.statement(&world.call(), ask).await.map_err(|e| anyhow!("{e}"))?;
            read.extend(page.after.iter().map(|m| m.minor()));
            before = page.entries.last().map(|e| e.position);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(read, [64_00, 64_99, 64_99, 89_99, 100_01], "by pages of {limit}");
    }
    // Nor does it depend on what else is shown.
    let repayments = StatementOf { codes: vec![Code::Repayment], ..everything.clone() };
    let found = teller.ledger.statement(&world.call(), repayments).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(found.entries.iter().map(|e| e.amount.minor()).collect::<Vec<_>>(), [99, 10_02]);
    assert_eq!(found.after.iter().map(|m| m.minor()).collect::<Vec<_>>(), [64_00, 89_99]);
    let today = platform::calendar::today(world.house.db.read()).await?;
    let of = |from, to| {
        let ask = StatementOf { from, to, ..everything.clone() };
        let (ledger, call) = (teller.ledger.clone(), world.call());
        async move { ledger.statement(&call, ask).await.map(|s| s.entries.len()).map_err(|e| anyhow!("{e}")) }
    };
    assert_eq!(of(Some(today), Some(today)).await?, 5);
    assert_eq!(of(None, today.pred_opt()).await?, 0);
    assert_eq!(of(today.succ_opt(), None).await?, 0);
    Ok(())
});
