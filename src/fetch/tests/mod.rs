//! The client against a server that misbehaves.

mod answers;
mod certificates;
mod flights;
mod keys;
mod lists;
mod server;

use std::time::Duration;

/// Waits for what comes about in other tasks.
async fn eventually(what: impl Fn() -> bool) {
    for _ in 0..5000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it does not come about");
}
