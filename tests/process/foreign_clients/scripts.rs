//! Clients in other languages. Each runs the same scenarios and prints the name of each that it
//! has passed.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::command::{output, run};
use support::coverage;
use support::process::{ServerProcess, StartOptions};
use support::temp_folder::TempFolder;
use support::tools::{self, Node};

use super::protos;

/// The scenarios, as the scripts print them.
const SCENARIOS: [&str; 5] = [
    "empty boxes",
    "messages",
    "errors",
    "large numbers",
    "live messages",
];

/// A service on an embedded database.
struct Service {
    server: ServerProcess,
    _data: TempFolder,
}

impl Service {
    fn start() -> Self {
        let data = TempFolder::new();
        let server = ServerProcess::start(&StartOptions {
            data_dir: data.path().to_owned(),
            ..StartOptions::default()
        });
        Self {
            server,
            _data: data,
        }
    }

    /// Runs the scenarios over the listeners of the service.
    fn runs(&self, client: &str, command: &mut Command) {
        let addresses = [
            ("USER_ADDRESS", self.server.user),
            ("SYS_ADDRESS", self.server.sys),
        ];
        let addresses = addresses.map(|(name, address)| (name, address.to_string()));
        self.passes(client, command.envs(addresses));
    }

    fn passes(&self, client: &str, command: &mut Command) {
        let tokens = &self.server.tokens;
        command
            .env("ALICE_TOKEN", &tokens.alice)
            .env("BOB_TOKEN", &tokens.bob)
            .env("APP_TOKEN", &tokens.sys);
        let output = output(command);
        let printed = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{client}: {printed}{failed}");
        let passed: Vec<_> = printed.lines().collect();
        assert_eq!(passed, SCENARIOS, "{client}");
        coverage::print(&format!("{client} covers: {}", SCENARIOS.join(", ")));
    }
}

fn scripts(language: &str) -> PathBuf {
    support::workspace::root()
        .join("tests/process/foreign_clients")
        .join(language)
}

fn python(script: &str, packages: &Path, generated: &Path) -> Command {
    let mut python = Command::new("python3");
    let path = format!("{}:{}", packages.display(), generated.display());
    python
        .arg(scripts("python").join(script))
        .env("PYTHONPATH", path)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

#[test]
#[ignore = "second gear: fetches packages"]
fn grpcio_passes_all_scenarios_with_generated_code_and_by_reflection() {
    let Some(packages) = tools::or_skip("grpcio", tools::locate_grpcio()) else {
        return;
    };
    let generated = TempFolder::new();
    let mut protoc = protos::python_protoc(&packages);
    let outputs = ["--python_out", "--grpc_python_out"];
    let outputs = outputs.map(|option| format!("{option}={}", generated.path().display()));
    run(protoc.args(outputs).args(protos::FILES)).expect("code");
    for mode in ["generated", "reflection"] {
        let mut client = python("client.py", &packages, generated.path());
        Service::start().runs(&format!("grpcio ({mode})"), client.arg(mode));
    }
}

/// The packages of the clients for Node.js.
const MANIFEST: &str = include_str!("node/package.json");

/// A folder with the clients for Node.js, compiled.
struct NodeClients {
    node: Node,
    packages: PathBuf,
    folder: TempFolder,
}

impl NodeClients {
    fn compiled() -> Option<Self> {
        let node = tools::or_skip("Node.js", tools::locate_node())?;
        let packages = tools::or_skip("grpcio", tools::locate_grpcio())?;
        let modules = tools::or_skip("npm packages", tools::locate_node_packages(&node, MANIFEST))?;
        let folder = TempFolder::new();
        for entry in fs::read_dir(scripts("node")).expect("scripts") {
            let path = entry.expect("a script").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            fs::copy(&path, folder.join(&name)).expect("a copy");
        }
        symlink(modules.join("node_modules"), folder.join("node_modules")).expect("a link");
        let clients = Self {
            node,
            packages,
            folder,
        };
        clients.generate();
        let mut tsc = clients.program("node_modules/.bin/tsc");
        run(tsc.current_dir(clients.folder.path())).expect("TypeScript that compiles");
        Some(clients)
    }

    fn generate(&self) {
        let generated = self.folder.join("gen");
        fs::create_dir(&generated).expect("a folder");
        let plugin = self.folder.join("node_modules/.bin/protoc-gen-es");
        let mut protoc = protos::python_protoc(&self.packages);
        protoc
            .arg(format!("--plugin=protoc-gen-es={}", plugin.display()))
            .arg(format!("--es_out={}", generated.display()))
            .arg("--es_opt=target=ts,import_extension=js")
            .args(protos::FILES)
            .args(protos::ERROR_FILES);
        run(self.node.first_in_path(&mut protoc)).expect("code");
    }

    fn program(&self, name: &str) -> Command {
        let mut program = Command::new(self.folder.join(name));
        self.node.first_in_path(&mut program);
        program
    }

    fn client(&self, script: &str) -> Command {
        let mut client = Command::new(self.node.program());
        let roots = [protos::root(), self.packages.clone()];
        let roots = roots.map(|root| root.display().to_string());
        client
            .arg(self.folder.join("out").join(script))
            .env("PROTO_ROOTS", roots.join(":"));
        client
    }
}

#[test]
#[ignore = "second gear: fetches packages"]
fn grpc_js_and_connect_es_pass_all_scenarios() {
    let Some(clients) = NodeClients::compiled() else {
        return;
    };
    for (name, script) in [
        ("@grpc/grpc-js with @grpc/proto-loader", "grpc_js.js"),
        ("@connectrpc/connect-node with protobuf-es", "connect.js"),
    ] {
        Service::start().runs(name, &mut clients.client(script));
    }
}

/// A running Envoy, killed when this is dropped.
struct Envoy(Child);

impl Envoy {
    fn start(program: &Path, config: &Path, admin_address: &Path) -> Self {
        let process = Command::new(program)
            .args(["--disable-hot-restart", "--concurrency", "1"])
            .args(["--log-level", "error", "--config-path"])
            .arg(config)
            .arg("--admin-address-path")
            .arg(admin_address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Self(process.expect("Envoy starts"))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The configuration of Envoy for these listeners.
fn envoy_config(user: SocketAddr, sys: SocketAddr, descriptors: &Path) -> String {
    let template = fs::read_to_string(scripts("envoy").join("envoy.yaml")).expect("a template");
    template
        .replace("USER_PORT", &user.port().to_string())
        .replace("SYS_PORT", &sys.port().to_string())
        .replace("DESCRIPTORS", &descriptors.display().to_string())
}

#[test]
#[ignore = "second gear: fetches packages"]
fn envoy_transcodes_all_scenarios_to_json() {
    let Some(packages) = tools::or_skip("grpcio", tools::locate_grpcio()) else {
        return;
    };
    let Some(program) = tools::or_skip("Envoy", tools::locate_envoy()) else {
        return;
    };
    let service = Service::start();
    let folder = TempFolder::new();
    let descriptors = folder.join("descriptors.bin");
    let mut protoc = protos::python_protoc(&packages);
    let output = format!("--descriptor_set_out={}", descriptors.display());
    let files = protos::FILES.into_iter().chain(protos::ERROR_FILES);
    run(protoc.arg("--include_imports").arg(output).args(files)).expect("descriptors");
    let config = folder.join("envoy.yaml");
    let yaml = envoy_config(service.server.user, service.server.sys, &descriptors);
    fs::write(&config, yaml).expect("a file");
    let admin_address = folder.join("admin-address");
    let _envoy = Envoy::start(&program, &config, &admin_address);
    let mut client = python("transcoder.py", &packages, folder.path());
    let client = client.env("ENVOY_ADMIN_ADDRESS", admin_address);
    service.passes("Envoy's JSON transcoder", client);
}
