//! All address lists that the running routes name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{FetchError, Fetcher, List, ListStatus};
use crate::config::model::IpList;

/// The lists, kept fresh in the background. They outlive a reload that leaves their URL alone.
#[derive(Debug)]
pub struct Lists {
    fetcher: Arc<Fetcher>,
    lists: Mutex<Vec<Arc<List>>>,
}

impl Lists {
    pub(super) fn new(fetcher: Arc<Fetcher>) -> Self {
        Self { fetcher, lists: Mutex::default() }
    }

    /// Keeps exactly these lists from now on. Reads copies from disk, and fetches nothing yet.
    pub(super) fn configure<'c>(&self, wanted: impl IntoIterator<Item = &'c Arc<IpList>>) {
        let mut lists = self.lists();
        let before = std::mem::take(&mut *lists);
        for config in wanted {
            if lists.iter().any(|list| list.config().name == config.name) {
                continue;
            }
            let known =
                before.iter().find(|list| list.config().name == config.name && list.is_of(config));
            let list = match known {
                Some(list) => {
                    list.configure(config);
                    Arc::clone(list)
                }
                None => List::new(config, self.fetcher.kept(&config.url).as_ref()),
            };
            lists.push(list);
        }
    }

    /// The list of this name.
    pub fn get(&self, name: &str) -> Option<Arc<List>> {
        self.lists().iter().find(|list| &*list.config().name == name).map(Arc::clone)
    }

    /// What is known of each.
    pub fn status(&self) -> Vec<ListStatus> {
        self.lists().iter().map(|list| list.status()).collect()
    }

    /// Begins to fetch what is due, on the current runtime.
    pub(super) fn refresh_due(&self) {
        let now = self.fetcher.clock().mono();
        for list in self.lists().iter().filter(|list| list.departs(now)) {
            let (fetcher, list) = (Arc::clone(&self.fetcher), Arc::clone(list));
            tokio::spawn(async move {
                let result = refresh(&fetcher, &list).await;
                list.settle(&result, fetcher.clock().mono());
            });
        }
    }

    #[cfg(test)]
    pub(super) fn is_under_way(&self) -> bool {
        self.lists().iter().any(|list| list.is_under_way())
    }

    fn lists(&self) -> MutexGuard<'_, Vec<Arc<List>>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn refresh(fetcher: &Arc<Fetcher>, list: &Arc<List>) -> Result<(), FetchError> {
    let config = list.config();
    let fetched = fetcher.get(&config.url).await?;
    let (fetcher, list) = (Arc::clone(fetcher), Arc::clone(list));
    // Reads a large document, and writes to a disk.
    let taken = tokio::task::spawn_blocking(move || {
        list.take(&fetched.body, fetcher.clock().unix())?;
        fetcher.keep(&config.url, &fetched);
        Ok(())
    });
    taken.await.unwrap_or_else(|_| Err(FetchError::Unusable("it cannot be read".into())))
}
