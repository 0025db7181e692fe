//! Fetching what verification needs from elsewhere: key sets, certificates, address lists.
//!
//! One small client for all of it ([`Fetcher`]), suspicious of everything: of the URL
//! ([`Target`](crate::net::Target)), of the addresses that a name resolves to ([`address`]), of the
//! answer's size and time. A URL is asked once at a time, however many wait for it, and one that
//! failed is left alone for a while. [`Lists`] keeps address lists fresh.
//!
//! Nothing here is in the way of a request that needs nothing fetched.

pub mod address;
mod client;
mod disk;
mod error;
mod fetching;
mod flight;
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
pub use list::{List, ListStatus};
pub use lists::Lists;
pub use resolve::{Addresses, Resolver};
pub use settings::Settings;
