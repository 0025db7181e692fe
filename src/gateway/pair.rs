//! Arming a route, and how far its pairing has come; for the admin listener.

use std::{sync::Arc, time::Duration};

use super::Gateway;
use crate::pairing::{PairError, Pairing, Pairs, Status};

impl Pairs for Gateway {
    fn arm(&self, route: &str, time: Duration) -> Result<(), PairError> {
        Ok(self.pairing(route)?.arm(self.shared.clock.mono(), time)?)
    }

    fn status(&self, route: &str) -> Result<Status, PairError> {
        Ok(self.pairing(route)?.status(self.shared.clock.mono()))
    }
}

impl Gateway {
    fn pairing(&self, name: &str) -> Result<Arc<Pairing>, PairError> {
        let snapshot = self.snapshot();
        let route = snapshot.routes.iter().find(|route| &*route.name == name);
        let Some(route) = route else { return Err(PairError::NoRoute(name.to_owned())) };
        match route.keys.pairing() {
            Some(pairing) => Ok(Arc::clone(pairing)),
            None if route.scheme.handshakes().capture() => Err(PairError::HasKeys),
            None => Err(PairError::NothingToTake(Arc::clone(&route.provider))),
        }
    }
}
