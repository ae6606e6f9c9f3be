//! Files of every measurement: the program and the figures.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::program;

/// The measured program, and the file for its figures.
#[derive(Debug, Args)]
pub struct Files {
    /// The program, instead of the one that is built from the sources beside this one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// File for the JSON, instead of standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Files {
    /// The program that is measured.
    ///
    /// # Errors
    /// If it cannot be built.
    pub async fn program(&self) -> anyhow::Result<PathBuf> {
        match &self.program {
            Some(program) => Ok(program.clone()),
            None => program::built().await,
        }
    }

    /// Writes what was found to the file, or prints it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_json(&self, figures: &impl Serialize) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(figures)?;
        match &self.json {
            Some(path) => fs::write(path, json).with_context(|| path.display().to_string())?,
            None => println!("{json}"),
        }
        Ok(())
    }
}
