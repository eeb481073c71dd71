//! The custodian's keys: the first is pinned by configuration, each later one is vouched for by the one before.
//!
//! Nobody trusts a key because it came over the wire: a chain of vouchers leads back to the pinned one, and is walked again
//! each time it is read, from the database too. A key that has a successor signs nothing new.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, RwLock};

/// A later key, as the custodian publishes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyLine {
    pub key_id: String,
    /// 32 bytes in hexadecimal.
    pub public: String,
    /// Unix seconds; from then on the key before signs nothing more.
    pub since: i64,
    /// The signature of the key before over [`vouched`], in base64.
    pub voucher: String,
}

fn vouched(line: &KeyLine) -> String {
    format!("key {} {} since {}", line.key_id, line.public, line.since)
}

#[derive(Clone)]
struct Known {
    key_id: String,
    key: VerifyingKey,
    since: i64,
}

/// The keys that are known, oldest first; copies share what one of them learns.
#[derive(Clone)]
pub struct KeyChain(Arc<RwLock<Vec<Known>>>);

impl KeyChain {
    /// The one of the configuration.
    pub fn pinned(key_id: &str, key: VerifyingKey) -> KeyChain {
        KeyChain(Arc::new(RwLock::new(vec![Known { key_id: key_id.into(), key, since: i64::MIN }])))
    }

    /// Walks a chain of vouchers from the pinned key on and knows what it proves.
    ///
    /// # Errors
    /// When a link does not hold; then nothing of the chain is believed.
    pub fn accept(&self, lines: &[KeyLine]) -> Result<(), &'static str> {
        let mut chain = vec![self.read(|known| known[0].clone())];
        for line in lines {
            let before = chain.last().ok_or("there is no pinned key")?;
            let voucher = STANDARD.decode(&line.voucher).ok().and_then(|v| Signature::from_slice(&v).ok());
            let voucher = voucher.ok_or("a key without a voucher")?;
            before
                .key
                .verify_strict(vouched(line).as_bytes(), &voucher)
                .map_err(|_| "a key that the one before does not vouch for")?;
            let public = hex::decode(&line.public).ok().and_then(|p| <[u8; 32]>::try_from(p).ok());
            let key = public.and_then(|p| VerifyingKey::from_bytes(&p).ok()).ok_or("no key")?;
            if line.since < before.since || chain.iter().any(|k| k.key_id == line.key_id) {
                return Err("a key out of its order");
            }
            chain.push(Known { key_id: line.key_id.clone(), key, since: line.since });
        }
        let mut known = self.0.write().unwrap_or_else(|p| p.into_inner());
        // What was learnt before is not unlearnt: a shorter chain, or another one, would bring an old key back.
        let extends = chain.len() >= known.len() && known.iter().zip(&chain).all(|(a, b)| a.key == b.key);
        if !extends {
            return Err("a chain that is not the one known so far");
        }
        *known = chain;
        Ok(())
    }

    /// The key of this name, whenever it was in use.
    pub fn of(&self, key_id: &str) -> Option<VerifyingKey> {
        self.read(|known| known.iter().find(|k| k.key_id == key_id).map(|k| k.key))
    }

    /// The key of this name, if it signs at this instant (Unix seconds).
    pub fn signing(&self, key_id: &str, at: i64) -> Option<VerifyingKey> {
        self.read(|known| {
            let place = known.iter().position(|k| k.key_id == key_id)?;
            let over = known.get(place + 1).is_some_and(|next| at > next.since);
            (!over).then(|| known[place].key)
        })
    }

    fn read<T>(&self, read: impl FnOnce(&[Known]) -> T) -> T {
        read(&self.0.read().unwrap_or_else(|p| p.into_inner()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn line(name: &str, of: &SigningKey, since: i64, by: &SigningKey) -> KeyLine {
        let public = hex::encode(of.verifying_key().to_bytes());
        let mut line = KeyLine { key_id: name.into(), public, since, voucher: String::new() };
        line.voucher = STANDARD.encode(by.sign(vouched(&line).as_bytes()).to_bytes());
        line
    }

    #[test]
    fn a_chain_leads_back_to_the_pinned_key_or_is_not_believed() {
        let keys = KeyChain::pinned("a", key(1).verifying_key());
        let (second, third) = (line("b", &key(2), 100, &key(1)), line("c", &key(3), 200, &key(2)));
        let forged = line("c", &key(9), 200, &key(9));
        assert!(keys.accept(&[second.clone(), forged]).is_err());
        assert_eq!(keys.of("b"), None, "nothing of a chain that breaks is believed");
        keys.accept(std::slice::from_ref(&second)).unwrap();
        assert_eq!(keys.of("b"), Some(key(2).verifying_key()));
        keys.accept(&[second.clone(), third]).unwrap();
        // The order, the name and the instant are vouched for too.
        assert!(keys.accept(&[KeyLine { since: 50, ..second.clone() }]).is_err());
        assert!(keys.accept(&[KeyLine { key_id: "z".into(), ..second.clone() }]).is_err());
        // What is known stays known: neither a shorter chain nor another one takes it back.
        assert!(keys.accept(&[second]).is_err());
        assert!(keys.accept(&[line("x", &key(8), 100, &key(1))]).is_err());
        assert_eq!(keys.of("c"), Some(key(3).verifying_key()));
    }

    #[test]
    fn a_key_that_has_a_successor_signs_nothing_new() {
        let keys = KeyChain::pinned("a", key(1).verifying_key());
        keys.accept(&[line("b", &key(2), 100, &key(1))]).unwrap();
        assert!(keys.signing("a", 100).is_some() && keys.signing("a", 101).is_none());
        assert!(keys.signing("b", 101).is_some());
        assert!(keys.of("a").is_some(), "what it signed in its time stays readable");
        assert_eq!(keys.signing("nobody", 1), None);
    }
}
