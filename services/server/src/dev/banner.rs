//! Banner of `serve --dev`: tokens, and calls to paste.

use std::fmt::{self, Display};
use std::net::SocketAddr;

const SEND: &str = r#"{"to": ["bob"], "text": "Fancy a game?"}"#;
const PAGE: &str = r#"{"context": {"search_criteria": {"msgbox": "inbox"}}}"#;
const SYS_SEND: &str =
    r#"{"to": ["alice", "bob"], "text": "Welcome", "sender": {"name": "The game master"}}"#;

/// Banner with everything that is needed to try the service.
pub struct Banner {
    /// Address of `Messaging`.
    pub user: Option<SocketAddr>,
    /// Address of `Sys`.
    pub sys: Option<SocketAddr>,
    /// Tokens to export as variables.
    pub tokens: BannerTokens,
    /// Path of this program, as it was called.
    pub program: String,
    /// Flag with the data directory, or empty for the default one.
    pub data_dir: String,
    /// Lifetime of the tokens.
    pub lifetime: &'static str,
}

/// Tokens of the examples.
pub struct BannerTokens {
    pub alice: String,
    pub bob: String,
    pub sys: String,
}

/// A call of the examples.
struct ExampleCall {
    token: &'static str,
    address: SocketAddr,
    method: &'static str,
    body: &'static str,
}

impl Banner {
    fn calls(&self) -> Vec<ExampleCall> {
        let mut calls = Vec::new();
        let mut add = |token, address: Option<SocketAddr>, method, body| {
            calls.extend(address.map(|address| ExampleCall {
                token,
                address,
                method,
                body,
            }));
        };
        add(
            "ALICE",
            self.user,
            "postroom.v1.Messaging/SendMessageSimple",
            SEND,
        );
        add(
            "BOB",
            self.user,
            "postroom.v1.Messaging/GetMessageCounts",
            "{}",
        );
        add(
            "BOB",
            self.user,
            "postroom.v1.Messaging/GetMessagesPage",
            PAGE,
        );
        add(
            "SYS",
            self.sys,
            "postroom.sys.v1.Sys/SendMessageSimple",
            SYS_SEND,
        );
        calls
    }

    fn commands(&self) -> Vec<String> {
        let endpoint = |address: SocketAddr, port| {
            if address.port() == port {
                String::new()
            } else {
                format!(" --endpoint http://{address}")
            }
        };
        let Self {
            program, data_dir, ..
        } = self;
        let mut commands = Vec::new();
        if let Some(address) = self.user {
            let endpoint = endpoint(address, 7600);
            for (command, arguments) in [
                ("send --as alice --to bob", " 'Your move'"),
                ("inbox --as bob", ""),
                ("read --as bob", ""),
                ("counts --as bob", ""),
            ] {
                commands.push(format!(
                    "{program} {command}{data_dir}{endpoint}{arguments}"
                ));
            }
        }
        if let Some(address) = self.sys {
            let endpoint = endpoint(address, 7601);
            let command = "sys send --from-name 'The game master' --to bob";
            commands.push(format!(
                "{program} {command}{data_dir}{endpoint} 'The season begins'"
            ));
        }
        commands
    }
}

impl Display for ExampleCall {
    /// Formats the call for grpcurl; the alternate form is for `buf curl`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            token,
            address,
            method,
            body,
        } = self;
        let header = format!("-H \"authorization: Bearer ${token}\"");
        if f.alternate() {
            let flags = "--protocol grpc --http2-prior-knowledge --reflect-header '*'";
            write!(
                f,
                "buf curl {flags} {header} -d '{body}' http://{address}/{method}"
            )
        } else {
            write!(
                f,
                "grpcurl -plaintext {header} -d '{body}' {address} {method}"
            )
        }
    }
}

impl Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BannerTokens { alice, bob, sys } = &self.tokens;
        writeln!(f, "Postroom is ready for development.\n")?;
        writeln!(
            f,
            "# Tokens of the app {}, valid for {}:",
            super::APP,
            self.lifetime
        )?;
        for (name, token) in [("ALICE", alice), ("BOB", bob), ("SYS", sys)] {
            writeln!(f, "export {name}={token}")?;
        }
        writeln!(
            f,
            "\n# Alice writes to Bob, Bob reads; the app writes to both. With grpcurl:"
        )?;
        for call in self.calls() {
            writeln!(f, "{call}")?;
        }
        writeln!(f, "\n# The same with buf curl:")?;
        for call in self.calls() {
            writeln!(f, "{call:#}")?;
        }
        writeln!(f, "\n# The same with the CLI:")?;
        for command in self.commands() {
            writeln!(f, "{command}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner(port: u16) -> String {
        let [alice, bob, sys] = ["a.a.a", "b.b.b", "s.s.s"].map(str::to_owned);
        let banner = Banner {
            user: Some(SocketAddr::from(([127, 0, 0, 1], port))),
            sys: None,
            tokens: BannerTokens { alice, bob, sys },
            program: "postroom".to_owned(),
            data_dir: " --data-dir 'd'".to_owned(),
            lifetime: "12h",
        };
        banner.to_string()
    }

    #[test]
    fn a_token_is_exported_before_its_first_use() {
        let text = banner(7600);
        let set = text.find("export ALICE=a.a.a\n").expect("a token");
        let used = text.find("$ALICE").expect("a call");
        assert!(set < used);
    }

    #[test]
    fn an_example_call_has_the_address_of_the_service() {
        let text = banner(4711);
        assert!(text.contains("127.0.0.1:4711 postroom.v1.Messaging/SendMessageSimple"));
        assert!(text.contains("http://127.0.0.1:4711/postroom.v1.Messaging/SendMessageSimple"));
        assert!(text.contains("inbox --as bob --data-dir 'd' --endpoint http://127.0.0.1:4711\n"));
        assert!(!text.contains("postroom.sys.v1"), "Sys is not enabled");
        assert!(banner(7600).contains("inbox --as bob --data-dir 'd'\n"));
    }
}
