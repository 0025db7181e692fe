//! The gateway beside nginx and HAProxy, measured by one command: see README.md.

mod bench;
mod failure;
mod http;
mod load;
mod machine;
mod message;
mod options;
mod pages;
mod peers;
mod process;
mod race;
mod scenarios;
mod stats;
mod table;
mod upstream;
mod usage;

use std::{error::Error, process::ExitCode};

use clap::Parser;

use crate::{
    bench::Bench,
    options::{Cli, Options, Part},
};

fn main() -> ExitCode {
    let Cli { part, options } = Cli::parse();
    let done = match part {
        Some(Part::Load { plan }) => load(&plan),
        Some(Part::Upstream { address, verify }) => receive(address, verify),
        None => compare(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn load(plan: &str) -> Result<(), Box<dyn Error>> {
    let outcome = load::run(&serde_json::from_str(plan)?)?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

fn receive(address: std::net::SocketAddr, verify: bool) -> Result<(), Box<dyn Error>> {
    let upstream = upstream::Upstream::bind(address, verify)?;
    println!("listening on {}", upstream.address());
    Ok(upstream.run()?)
}

fn compare(options: Options) -> Result<(), Box<dyn Error>> {
    machine::raise_descriptor_limit();
    let (pages, markdown) = (options.write.clone(), options.markdown);
    let bench = Bench::new(options)?;
    let mut blocks = Vec::new();
    for scenario in scenarios::chosen(&bench.options.scenarios) {
        eprintln!("{scenario}");
        let report = scenario.run(&bench)?;
        println!("{}", report.show(scenario, markdown));
        blocks.extend(report.blocks(scenario));
    }
    blocks.extend(scenarios::example(&blocks));
    let machine = machine::block(&bench.options.hookward, bench.disturbed());
    println!("\n{}", machine.text);
    blocks.push(machine);
    // Wrong answers make the figures worthless: nothing is written then.
    bench.verdict()?;
    for page in pages {
        let count = pages::write(&page, &blocks).map_err(failure::Failure::file(&page))?;
        eprintln!("{}: {count} blocks written", page.display());
    }
    Ok(())
}
