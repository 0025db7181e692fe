//! Who may call a route.

use std::{net::IpAddr, sync::Arc};

use crate::{
    config::model,
    fetch::{List, Lists},
    net::Sources,
};

/// `allow_from` in force: networks that stay, and lists that change while requests look at them.
#[derive(Clone, Debug)]
pub struct AllowFrom {
    fixed: Sources,
    lists: Vec<Arc<List>>,
}

/// Whether an address may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is on a list.
    Allowed,
    /// It is on none.
    NotAllowed,
    /// It may be on a list that has not been fetched yet.
    Unknown,
}

impl AllowFrom {
    pub(super) fn new(config: &model::AllowFrom, lists: &Lists) -> Self {
        let lists = config.lists.iter().filter_map(|list| lists.get(&list.name)).collect();
        Self { fixed: Sources::new(&config.networks), lists }
    }

    /// Looks the address up; takes no lock.
    pub fn judge(&self, ip: IpAddr) -> Standing {
        if self.fixed.contains(ip) {
            return Standing::Allowed;
        }
        let mut standing = Standing::NotAllowed;
        for list in &self.lists {
            match list.contains(ip) {
                Some(true) => return Standing::Allowed,
                Some(false) => {}
                None => standing = Standing::Unknown,
            }
        }
        standing
    }
}
