//! A simulated day: people act, time passes, the day is closed, the books are looked at.

use crate::look;
use crate::people::Sim;
use anyhow::{Context, anyhow, ensure};
use custodian::fault::{Fault, Planned};
use kernel::call::Service;
use office_api::{CloseDay, CloseStatus, DayOf, Office};
use platform::calendar;
use tests::town::Town;

/// The custodian's misbehaviour in a simulation: of everything a little.
pub fn weather(bank: &custodian::Bank, seed: u64) {
    bank.faults.seed(seed);
    for (operation, fault, per_mille) in [
        ("*", Fault::LostReply, 20),
        ("*", Fault::LostRequest, 20),
        ("*", Fault::RateLimited, 10),
        ("*", Fault::EarlyNotification, 10),
        ("*", Fault::CrashAfterCommit, 10),
        ("*", Fault::KeyRotation, 2),
        ("*", Fault::Maintenance { seconds: 40 }, 3),
        ("*", Fault::Refused, 10),
        ("*", Fault::InsufficientFunds, 5),
        ("*", Fault::PartialBatch { failing: 1 }, 30),
        ("*", Fault::LateSuccess { seconds: 90 }, 8),
        ("*", Fault::LateSuccess { seconds: 4_000 }, 5),
        ("*", Fault::PayoutRefused, 30),
        ("*", Fault::PayoutReturned { seconds: 86_400 }, 30),
        ("*", Fault::LostNotification, 30),
        ("*", Fault::RepeatedNotification { times: 3 }, 20),
        ("*", Fault::LateNotification { seconds: 300 }, 20),
        ("*", Fault::ReorderedNotification, 20),
        ("*", Fault::ForgedNotification, 10),
        // What is split over many is where a part can go astray.
        ("repay", Fault::PartialBatch { failing: 1 }, 250),
        ("disburse", Fault::PartialBatch { failing: 1 }, 100),
        ("query", Fault::LostReply, 20),
        ("movements", Fault::LostRequest, 20),
    ] {
        bank.faults.plan(Planned::chance(operation, fault, per_mille));
    }
}

impl Sim {
    pub async fn day(&mut self) -> anyhow::Result<()> {
        for _ in 0..4 + self.below(6) {
            self.act().await?;
            let seconds = 1 + self.below(400);
            self.world.clock.advance(chrono::Duration::seconds(i64::try_from(seconds)?));
            // What cannot be done now is tried again: an outage is nobody's failure.
            self.world.settle().await.ok();
            // In the middle of things too: what is on its way may be on its way, and nothing may be broken.
            if self.below(4) == 0 {
                look::proved_so_far(&self.world).await.context("in the middle of a day")?;
            }
        }
        self.rest().await?;
        self.close().await?;
        look::books(self).await
    }

    /// Hours in which nobody acts: what is in doubt is asked for, attempts are made again.
    async fn rest(&mut self) -> anyhow::Result<()> {
        for seconds in [30, 70, 700, 2_000, 3_700, 3_700] {
            self.world.clock.advance(chrono::Duration::seconds(seconds));
            self.world.settle().await.ok();
        }
        Ok(())
    }

    /// Closes the business day as operations would; what halts it is settled by two people.
    async fn close(&mut self) -> anyhow::Result<()> {
        let before = calendar::today(self.world.house.db.read()).await?;
        for _ in 0..12 {
            self.settle_breaks().await?;
            let call = Town(&self.world).call(&self.staff.operations);
            let office = self.world.house.office(Service::Gateway);
            office.close_day(&call, CloseDay { date: before }).await.map_err(|e| anyhow!("close: {e}"))?;
            for _ in 0..4 {
                self.world.clock.advance(chrono::Duration::seconds(40));
                self.world.settle().await.ok();
            }
            let call = Town(&self.world).call(&self.staff.operations);
            let day = office.day(&call, DayOf { date: Some(before) }).await.map_err(|e| anyhow!("{e}"))?;
            if day.as_ref().is_some_and(|d| d.status == CloseStatus::Done) {
                self.count("day closed");
                // The instant goes on to the next morning.
                self.world.clock.advance(chrono::Duration::hours(16));
                self.world.settle().await.ok();
                return Ok(());
            }
            self.rest().await?;
        }
        let call = Town(&self.world).call(&self.staff.operations);
        let day = self.world.house.office(Service::Gateway).day(&call, DayOf { date: Some(before) }).await;
        let report = self.world.proof().await?;
        Err(anyhow!("the day cannot be closed: {day:?}\n{}\n{:#?}", report.last_line(), report.findings))
    }

    /// Fair weather until nothing is in doubt any more; then both books are equal and nothing is on its way.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        self.world.bank.faults.clear();
        for _ in 0..8 {
            self.rest().await?;
            self.world.clock.advance(chrono::Duration::hours(8));
            self.world.settle().await.ok();
        }
        self.settle_breaks().await?;
        self.world.wait(60).await?;
        let custody = self.world.house.custody(Service::Operator);
        let open = {
            use custody_api::{Custody, InFlightOf};
            custody.in_flight(&self.world.call(), InFlightOf {}).await.map_err(|e| anyhow!("{e}"))?
        };
        ensure!(open.count == 0, "{} orders have no last word", open.count);
        self.world.assert_matched().await?;
        look::nothing_under_way(self).await?;
        look::books(self).await
    }
}
