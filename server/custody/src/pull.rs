//! Facts come in: the custodian's movements since the last one we have, in order, without a gap.

use crate::port::{Movement, Port};
use crate::repo;
use chrono::{DateTime, Utc};
use entity_custody::movement;
use futures::FutureExt;
use futures::future::BoxFuture;
use kernel::id::derived;
use platform::Db;
use platform::db::WriteError;
use platform::work::{Loop, Progress, StepError};
use std::time::Duration;

const PAGE: i64 = 500;

/// The loop that fetches movements.
pub struct Pull {
    pub db: Db,
    pub port: Port,
}

impl Pull {
    async fn pull(&self) -> Result<Progress, StepError> {
        let custodian = self.port.custodian.clone();
        let position = repo::position(self.db.read(), &custodian).await?;
        let Some(found) = self.port.movements(position, PAGE).await else {
            // Not reachable: nothing is lost, it is asked again; instructions in doubt say so for themselves.
            return Ok(Progress::Idle);
        };
        if found.is_empty() {
            return Ok(Progress::Idle);
        }
        let gapless = found.iter().zip(position + 1..).all(|(m, expected)| m.number == expected);
        if !gapless {
            return Err(StepError(format!("{custodian} left movements out after {position}")));
        }
        let now = self.port.clock.now();
        let rows: Vec<movement::Model> = found
            .into_iter()
            .map(|m| row(&custodian, m, now))
            .collect::<Option<_>>()
            .ok_or_else(|| StepError("a movement has no date".into()))?;
        self.db
            .write(move |tx| {
                let (rows, custodian) = (rows.clone(), custodian.clone());
                async move {
                    // Of two processes that pulled the same, the second finds them here and writes nothing.
                    tx.wake("custody:mirror");
                    if repo::position(tx, &custodian).await? != position {
                        return Ok(());
                    }
                    repo::insert_movements(tx, rows).await?;
                    Ok::<(), WriteError<()>>(())
                }
                .boxed()
            })
            .await?;
        Ok(Progress::Did)
    }
}

fn row(custodian: &str, m: Movement, now: DateTime<Utc>) -> Option<movement::Model> {
    Some(movement::Model {
        custodian: custodian.to_string(),
        number: m.number,
        id: derived::movement(custodian, m.number).0,
        kind: m.kind,
        source: m.source,
        source_bucket: m.source_bucket,
        target: m.target,
        target_bucket: m.target_bucket,
        amount: m.amount,
        currency: m.currency,
        request_no: m.request_no,
        line_no: m.line_no,
        freeze_no: m.freeze_no,
        project_no: m.project_no,
        business_date: m.business_date,
        at: DateTime::from_timestamp(m.at, 0)?,
        received_at: now,
        mirrored: false,
    })
}

impl Loop for Pull {
    fn name(&self) -> String {
        "custody:pull".into()
    }

    fn channel(&self) -> String {
        "custody:pull".into()
    }

    fn pause(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn step(&self) -> BoxFuture<'_, Result<Progress, StepError>> {
        self.pull().boxed()
    }
}
