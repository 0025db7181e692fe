//! Puts everything that is counted into words.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::{Inner, RouteMetrics, histogram::Histogram};
use crate::decision::Code;

/// One collector for all: counters are named without the `_total` that the encoder adds.
pub(super) struct Everything(pub(super) Arc<Inner>);

impl fmt::Debug for Everything {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Everything").finish_non_exhaustive()
    }
}

impl Collector for Everything {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let routes = self.0.all();
        let refused_by_http2 = self.0.gauges.get().map_or(0, |gauges| (gauges.http2_errors)());
        requests(&mut out, &routes, refused_by_http2)?;
        let added = "Time a request took in the gateway itself";
        histogram(&mut out, "hookward_request_seconds", added, &routes, RouteMetrics::added)?;
        let upstream = "Time from handing a request to the upstream to its status line";
        let of = RouteMetrics::upstream;
        histogram(&mut out, "hookward_upstream_seconds", upstream, &routes, of)?;
        monitored(&mut out, &routes)?;
        keys(&mut out, &routes)?;
        self.process(&mut out)
    }
}

impl Everything {
    fn process(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let inner = &self.0;
        let load = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
        if let Some(gauges) = inner.gauges.get() {
            replay(out, gauges)?;
            ip_lists(out, gauges)?;
            fetched_keys(out, gauges)?;
            let bytes = (gauges.body_memory_bytes)();
            gauge(out, "hookward_body_memory_bytes", "Bytes held by buffered bodies", bytes)?;
            let open = (gauges.connections)();
            gauge(out, "hookward_connections", "Open connections", open)?;
        }
        let (name, help) = ("hookward_config_reloads", "Reloads of the configuration");
        let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (result, count) in
            [("success", &inner.reloads_succeeded), ("failure", &inner.reloads_failed)]
        {
            let labels = [("result", result)];
            ConstCounter::new(load(count)).encode(family.encode_family(&labels)?)?;
        }
        let success = u64::from(!inner.last_reload_failed.load(Ordering::Relaxed));
        let help = "Whether the last reload was taken over";
        gauge(out, "hookward_config_last_reload_success", help, success)?;
        let (name, help) = ("hookward_audit_dropped", "Audit lines that were lost");
        let family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(load(&inner.audit_dropped)).encode(family)
    }
}

fn requests(
    out: &mut DescriptorEncoder<'_>,
    routes: &[Arc<RouteMetrics>],
    refused_by_http2: u64,
) -> fmt::Result {
    let (name, help) = ("hookward_requests", "Requests by how they ended");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    for route in routes {
        // `forwarded` is there from the start, so that its rate is right from the first one on.
        let always = |code| code == Code::Forwarded && !route.name().is_empty();
        let beside = |code| {
            let unrouted = route.name().is_empty() && code == Code::BadRequest;
            if unrouted { refused_by_http2 } else { 0 }
        };
        let decisions = route.read_decisions().map(|(code, count)| (code, count + beside(code)));
        for (code, count) in decisions.filter(|(c, n)| *n > 0 || always(*c)) {
            let labels = [("route", &**route.name()), ("decision", code.as_str())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn histogram(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    routes: &[Arc<RouteMetrics>],
    of: impl Fn(&RouteMetrics) -> &Histogram,
) -> fmt::Result {
    let mut family = out.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for route in routes {
        let (sum, count, buckets) = of(route).read();
        if count == 0 {
            continue;
        }
        let labels = [("route", &**route.name())];
        let mut one = family.encode_family(&labels)?;
        one.encode_histogram::<[(&str, &str); 0]>(sum, count, &buckets, None)?;
    }
    Ok(())
}

fn monitored(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> fmt::Result {
    let (name, help) = ("hookward_monitored", "Failures of checks that are only monitored");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    for route in routes {
        for (check, code, count) in route.read_monitored() {
            let labels = [
                ("route", &**route.name()),
                ("check", check.as_str()),
                ("decision", code.as_str()),
            ];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn keys(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> fmt::Result {
    let keys: Vec<_> = routes.iter().map(|route| (route.name(), route.read_keys())).collect();
    let each = || keys.iter().flat_map(|(route, keys)| keys.iter().map(move |key| (route, key)));
    let (name, help) = ("hookward_key_used", "Requests that a key verified");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (route, (id, key)) in each() {
        let labels = [("route", &***route), ("key", &**id)];
        ConstCounter::new(key.read().0).encode(family.encode_family(&labels)?)?;
    }
    let (name, help) =
        ("hookward_key_last_used_timestamp_seconds", "When a key last verified a request");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (route, (id, key)) in each() {
        if let (_, Some(last)) = key.read() {
            let labels = [("route", &***route), ("key", &**id)];
            ConstGauge::new(last).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn replay(out: &mut DescriptorEncoder<'_>, gauges: &super::Gauges) -> fmt::Result {
    let stores = gauges.replay.stores();
    let (name, help) = ("hookward_replay_entries", "Replay entries that are kept or reserved");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for store in &stores {
        let labels = [("route", &**store.name())];
        ConstGauge::new(store.entries() as u64).encode(family.encode_family(&labels)?)?;
    }
    let (name, help) = ("hookward_replay_capacity", "The most replay entries there may be");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for store in &stores {
        let labels = [("route", &**store.name())];
        ConstGauge::new(store.capacity() as u64).encode(family.encode_family(&labels)?)?;
    }
    let (name, help) =
        ("hookward_replay_evictions", "Replay entries dropped before their time for want of room");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    for store in &stores {
        let labels = [("route", &**store.name())];
        ConstCounter::new(store.evictions()).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn ip_lists(out: &mut DescriptorEncoder<'_>, gauges: &super::Gauges) -> fmt::Result {
    let now = gauges.fetching.now();
    let lists = gauges.fetching.lists().status();
    let (name, help) = ("hookward_ip_list_entries", "Networks of a fetched list in force");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for list in &lists {
        let labels = [("list", &*list.name)];
        ConstGauge::new(list.entries as u64).encode(family.encode_family(&labels)?)?;
    }
    let (name, help) = ("hookward_ip_list_age_seconds", "Time since a list in force was fetched");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for list in &lists {
        let Some(fetched) = list.fetched else { continue };
        let age = u64::try_from(now.secs().saturating_sub(fetched.secs())).unwrap_or(0);
        ConstGauge::new(age).encode(family.encode_family(&[("list", &*list.name)])?)?;
    }
    let (name, help) =
        ("hookward_ip_list_last_refresh_success", "Whether the last refresh of a list was taken");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for list in &lists {
        let Some(succeeded) = list.succeeded else { continue };
        let labels = [("list", &*list.name)];
        ConstGauge::new(u64::from(succeeded)).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn fetched_keys(out: &mut DescriptorEncoder<'_>, gauges: &super::Gauges) -> fmt::Result {
    let now = gauges.fetching.now();
    let sets = gauges.fetching.keys().status();
    let (name, help) = ("hookward_keys_entries", "Keys of a fetched set in force");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for set in &sets {
        let labels = [("source", &*set.source)];
        ConstGauge::new(set.keys as u64).encode(family.encode_family(&labels)?)?;
    }
    let (name, help) = ("hookward_keys_age_seconds", "Time since a key set in force was fetched");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for set in &sets {
        let Some(fetched) = set.fetched else { continue };
        let age = u64::try_from(now.secs().saturating_sub(fetched.secs())).unwrap_or(0);
        ConstGauge::new(age).encode(family.encode_family(&[("source", &*set.source)])?)?;
    }
    let (name, help) =
        ("hookward_keys_last_refresh_success", "Whether the last refresh of a key set was taken");
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for set in &sets {
        let Some(succeeded) = set.succeeded else { continue };
        let labels = [("source", &*set.source)];
        ConstGauge::new(u64::from(succeeded)).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn gauge(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let one = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(value).encode(one)
}
