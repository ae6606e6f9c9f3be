//! Generated code that must compile, in languages whose generators and libraries Debian has.
//! Python and TypeScript compile with their clients.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::command::run;
use support::coverage;
use support::temp_folder::TempFolder;
use support::tools;

use super::protos;

/// Returns Debian's protoc, or nothing where a package cannot be had.
fn protoc(language: &str, packages: &[&str]) -> Option<Command> {
    let packages = [&["protobuf-compiler", "libprotobuf-dev"], packages].concat();
    tools::or_skip(language, tools::debian(&packages))?;
    let mut protoc = Command::new("protoc");
    protoc.arg("-I").arg(protos::root());
    Some(protoc)
}

/// Returns all files below a folder whose names end so.
fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}

#[test]
#[ignore = "second gear: fetches packages"]
fn java_compiles() {
    let libraries = [
        "libprotobuf-java",
        "libgrpc-java",
        "protobuf-compiler-grpc-java-plugin",
        "default-jdk-headless",
    ];
    let Some(mut protoc) = protoc("Java", &libraries) else {
        return;
    };
    let folder = TempFolder::new();
    let output = folder.path().display();
    protoc
        .arg("--plugin=protoc-gen-grpc-java=/usr/bin/grpc_java_plugin")
        .arg(format!("--java_out={output}"))
        .arg(format!("--grpc-java_out={output}"))
        .args(protos::FILES);
    run(&mut protoc).expect("code");
    let files = files_below(folder.path(), "java");
    let mut javac = Command::new("javac");
    javac
        .args(["-proc:none", "-nowarn", "-cp", "/usr/share/java/*", "-d"])
        .arg(folder.join("classes"))
        .args(&files);
    run(&mut javac).expect("Java that compiles");
    coverage::print(&format!("Java compiles: {} files", files.len()));
}

#[test]
#[ignore = "second gear: fetches packages"]
fn go_compiles() {
    let libraries = [
        "golang-go",
        "golang-google-grpc-dev",
        "golang-google-protobuf-dev",
        "protoc-gen-go",
        "protoc-gen-go-grpc",
    ];
    let Some(mut protoc) = protoc("Go", &libraries) else {
        return;
    };
    let folder = TempFolder::new();
    let sources = folder.join("src");
    fs::create_dir(&sources).expect("a folder");
    let output = sources.display();
    protoc
        .arg(format!("--go_out={output}"))
        .arg(format!("--go-grpc_out={output}"))
        .args(protos::FILES);
    run(&mut protoc).expect("code");
    let mut go = Command::new("go");
    go.args(["build", "postroom/v1", "postroom/sys/v1"])
        .current_dir(folder.path())
        .env("GO111MODULE", "off")
        .env("GOCACHE", folder.join("cache"))
        .env("GOFLAGS", "")
        .env(
            "GOPATH",
            format!("{}:/usr/share/gocode", folder.path().display()),
        );
    run(&mut go).expect("Go that compiles");
    let files = files_below(&sources, "go");
    coverage::print(&format!("Go compiles: {} files", files.len()));
}

/// Debian has a compiler of C#, and no library for protobuf: only the syntax is checked.
#[test]
#[ignore = "second gear: fetches packages"]
fn csharp_parses() {
    let Some(mut protoc) = protoc("C#", &["mono-mcs"]) else {
        return;
    };
    let folder = TempFolder::new();
    let output = format!("--csharp_out={}", folder.path().display());
    run(protoc.arg(output).args(protos::FILES)).expect("code");
    let files = files_below(folder.path(), "cs");
    let mut mcs = Command::new("mcs");
    run(mcs.arg("--parse").args(&files)).expect("C# that parses");
    coverage::print(&format!("C# parses: {} files", files.len()));
}

/// Objective-C, PHP and Ruby are only generated: protoc itself finds names that collide.
#[test]
#[ignore = "second gear: fetches packages"]
fn objective_c_php_and_ruby_are_generated() {
    let Some(mut protoc) = protoc("Objective-C, PHP, Ruby", &[]) else {
        return;
    };
    let folder = TempFolder::new();
    let outputs = ["--objc_out", "--php_out", "--ruby_out"];
    let outputs = outputs.map(|option| format!("{option}={}", folder.path().display()));
    run(protoc.args(outputs).args(protos::FILES)).expect("code");
    for extension in ["m", "php", "rb"] {
        assert!(!files_below(folder.path(), extension).is_empty());
    }
    coverage::print("Objective-C, PHP and Ruby are generated");
}
