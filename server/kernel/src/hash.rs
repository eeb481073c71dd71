//! Content hashes: SHA-256 over the JSON form, whose field order is the type's own.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// Hash of a command's content, by which a repeat is told from another use of the same id.
pub fn content<T: Serialize + ?Sized>(content: &T) -> [u8; 32] {
    let bytes = serde_json::to_vec(content).expect("a command is plain data");
    Sha256::digest(bytes).into()
}

/// The next link of a hash chain.
pub fn link(previous: &[u8; 32], content: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(content);
    hasher.finalize().into()
}
