//! Chance: ids, nonces, salts, jitter. From the system in service, from a seed in a simulation.

use chrono::{DateTime, Utc};
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng, TryRngCore};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

pub trait Entropy: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);
}

pub type SharedEntropy = Arc<dyn Entropy>;

impl dyn Entropy {
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A time-ordered id (UUID version 7).
    pub fn uuid(&self, now: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes::<10>()).into_uuid()
    }

    /// A secret to be handed out: 256 bits in hexadecimal.
    pub fn secret(&self) -> String {
        hex::encode(self.bytes::<32>())
    }

    /// A number below `bound`, for jitter; slightly uneven, which jitter does not mind.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_le_bytes(self.bytes::<8>()) % bound.max(1)
    }
}

pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        OsRng.try_fill_bytes(bytes).expect("the system's random source answers");
    }
}

pub struct SeededEntropy(Mutex<ChaCha20Rng>);

impl SeededEntropy {
    pub fn new(seed: u64) -> SeededEntropy {
        SeededEntropy(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().expect("no holder of the generator panics").fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids_and_they_are_version_7() {
        let now = DateTime::from_timestamp_millis(1_700_000_000_000).unwrap();
        let (a, b): (SharedEntropy, SharedEntropy) =
            (Arc::new(SeededEntropy::new(1)), Arc::new(SeededEntropy::new(1)));
        let id = a.uuid(now);
        assert_eq!(id, b.uuid(now));
        assert_eq!(id.get_version_num(), 7);
        assert_ne!(id, a.uuid(now));
    }
}
