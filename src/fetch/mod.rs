//! Fetching what verification needs from elsewhere: key sets, certificates, address lists.
//!
//! One small client for all of it ([`Fetcher`]), suspicious of everything: of the URL
//! ([`Target`](crate::net::Target)), of the addresses that a name resolves to ([`address`]), of the
//! answer's size and time. A URL is asked once at a time, however many wait for it, and one that
//! failed is left alone for a while. [`Lists`] keeps address lists fresh, [`Keys`] what signatures
//! are verified with.
//!
//! Nothing here is in the way of a request that needs nothing fetched.

pub mod address;
mod certificates;
mod client;
mod disk;
mod error;
mod fetching;
mod flight;
mod key_set;
mod keys;
mod lifetime;
mod list;
mod lists;
mod resolve;
mod settings;
#[cfg(test)]
mod tests;

pub use client::Fetched;
pub use disk::Kept;
pub use error::FetchError;
pub use fetching::Fetching;
pub use flight::Fetcher;
pub use key_set::KeysStatus;
pub use keys::Keys;
pub use list::{List, ListStatus};
pub use lists::Lists;
pub use resolve::{Addresses, Resolver};
pub use settings::Settings;
