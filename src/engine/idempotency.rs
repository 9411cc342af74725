//! The receipt of what is no command: a request that changes something says which one it is, so that the other side can tell
//! when it is sent again.
//!
//! The header is that of the IETF draft `draft-ietf-httpapi-idempotency-key-header`. Attempts whose end nobody saw carry the
//! same key; one after a failure that was seen is another request.

use crate::model::operation::Operation;
use crate::model::plan::Digest;
use crate::run::receipt::ReceiptKey;

const HEADER: &str = "Idempotency-Key";

/// Adds the key to a request, unless its author did.
pub fn mark(operation: &mut Operation, key: &ReceiptKey) {
    let Operation::Http(request) = operation else { return };
    if !request.headers.keys().any(|name| name.eq_ignore_ascii_case(HEADER)) {
        // A step's name may hold anything, a header may not.
        let value = Digest::of(key.to_string().as_bytes());
        request.headers.insert(HEADER.to_owned(), value.to_string());
    }
}
