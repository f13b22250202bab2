#include "io/exec_source.hpp"

#include "io/clock.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/tls_server.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Given = Result<ExecSource::Credential>;

constexpr runtime::WallTime today{std::chrono::seconds{1705314600}};  // 2024-01-15T10:30:00Z

/// "Z" is dead too: nobody has collected it yet.
bool is_alive(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  if (!std::getline(file, line)) return false;
  return line.substr(line.rfind(')') + 2, 1) != "Z";
}

std::string answer(const std::string& status) {
  return R"(printf '%s' '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{)" + status +
         "}}'";
}

class Exec : public testing::Test {
 protected:
  /// A plugin that is a script of the shell, run in a folder of its own.
  ExecSource& plugin(const std::string& script, kube::Interaction interaction = kube::Interaction::if_available) {
    kube::ExecPlugin plugin;
    plugin.api_version = "client.authentication.k8s.io/v1";
    plugin.command = "/bin/sh";
    plugin.args = {"-c", "cd " + folder_.path().string() + "; echo run >> runs; " + script};
    plugin.env = {"PROFILE=dev"};
    plugin.provide_cluster_info = true;
    plugin.interaction = interaction;
    plugin.field = "user \"u\"";
    return use(plugin);
  }
  ExecSource& use(const kube::ExecPlugin& plugin) {
    source_ = std::make_unique<ExecSource>(context_.get_executor(), plugin,
                                           kube::ExecCluster{"https://h", "", false, "", "", ""}, false);
    return *source_;
  }
  Given get(runtime::Duration patience = 5s, runtime::WallTime now = today) {
    return tests::run(context_, source_->get(mono_now() + patience, now));
  }
  std::vector<std::string> lines(const std::string& name) {
    std::istringstream text(tests::read_text(folder_.path() / name));
    std::vector<std::string> found;
    for (std::string line; std::getline(text, line);) found.push_back(line);
    return found;
  }
  /// Runs the loop until there is such a file with a line in it.
  std::string await_line(const std::string& name) {
    for (int tries = 0; tries < 1000 && lines(name).empty(); ++tries) context_.run_one_for(10ms);
    return lines(name).empty() ? "" : lines(name).front();
  }
  bool ends(const std::string& pid) {
    for (int tries = 0; tries < 1000 && is_alive(pid); ++tries) context_.run_one_for(10ms);
    return !is_alive(pid);
  }

  tests::TemporaryFolder folder_;
  boost::asio::io_context context_;
  std::unique_ptr<ExecSource> source_;
};

TEST_F(Exec, gives_what_the_program_printed_and_keeps_it) {
  plugin(answer(R"("token":"abc")"));
  EXPECT_EQ(get().value()->token, "abc");
  EXPECT_EQ(get().value()->token, "abc");
  EXPECT_EQ(lines("runs").size(), 1U);
}

TEST_F(Exec, is_run_again_when_the_credential_expired_or_was_refused) {
  plugin(answer(R"("token":"abc","expirationTimestamp":"2024-01-15T11:30:00Z")"));
  const auto first = get().value();
  EXPECT_EQ(get(5s, today + 59min).value(), first);
  const auto second = get(5s, today + 60min).value();
  EXPECT_EQ(lines("runs").size(), 2U);
  EXPECT_TRUE(source_->refuse(first, mono_now()));
  EXPECT_EQ(get().value(), second) << "what was refused is not in use any more";
  EXPECT_TRUE(source_->refuse(second, mono_now()));
  const auto third = get().value();
  EXPECT_NE(third, second);
  EXPECT_EQ(lines("runs").size(), 3U);
  EXPECT_FALSE(source_->refuse(third, mono_now() + 9s)) << "a server that accepts nobody does not keep it running";
  EXPECT_EQ(get().value(), third);
  EXPECT_TRUE(source_->refuse(third, mono_now() + 11s));
}

TEST_F(Exec, knows_its_variables_and_has_nothing_to_read) {
  plugin("cat; printf '%s\\n' \"$PROFILE\" \"$KUBERNETES_EXEC_INFO\" \"$PATH\" > seen; " + answer(R"("token":"abc")"));
  ASSERT_TRUE(get().has_value());
  const auto seen = lines("seen");
  EXPECT_EQ(seen.at(0), "dev");
  EXPECT_EQ(seen.at(1), R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
                        R"("spec":{"cluster":{"server":"https://h"},"interactive":false}})");
  EXPECT_NE(seen.at(2), "");
}

TEST_F(Exec, is_run_once_for_all_who_wait) {
  plugin("while [ ! -e gate ]; do sleep 0.01; done; " + answer(R"("token":"abc")"));
  std::vector<Given> given;
  const auto wait = [&](runtime::Duration patience) {
    boost::asio::co_spawn(context_, source_->get(mono_now() + patience, today),
                          [&](std::exception_ptr, Given result) { given.push_back(std::move(result)); });
  };
  wait(50ms);
  wait(5s);
  wait(5s);
  while (given.empty() && context_.run_one_for(10s) != 0) {
  }
  EXPECT_EQ(given.at(0).error().code, Errc::timeout) << "who leaves does not end it for the others";
  std::ofstream(folder_.path() / "gate") << "open";
  while (given.size() < 3 && context_.run_one_for(10s) != 0) {
  }
  ASSERT_EQ(given.size(), 3U);
  EXPECT_EQ(given[1].value(), given[2].value());
  EXPECT_EQ(lines("runs").size(), 1U);
}

TEST_F(Exec, goes_on_for_who_asks_next_when_nobody_waits_any_more) {
  plugin("while [ ! -e gate ]; do sleep 0.02; done; " + answer(R"("token":"abc")"));
  const auto before = mono_now();
  const auto given = get(200ms);
  EXPECT_LE(mono_now() - before, 300ms);
  EXPECT_EQ(given.error().code, Errc::timeout);
  EXPECT_EQ(given.error().detail, "user \"u\": the exec plugin /bin/sh did not answer in time");
  std::ofstream(folder_.path() / "gate") << "open";
  EXPECT_EQ(get().value()->token, "abc");
  EXPECT_EQ(lines("runs").size(), 1U);
}

TEST_F(Exec, is_killed_by_close_with_all_that_it_started) {
  plugin("sleep 1000 & echo $! > child; echo $$ > parent; sleep 1000");
  EXPECT_EQ(get(1s).error().code, Errc::timeout);
  const std::string parent = await_line("parent");
  source_->close();
  EXPECT_TRUE(ends(parent));
  EXPECT_TRUE(ends(lines("child").at(0)));
}

TEST_F(Exec, gets_none_of_our_files) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);  // as Asio opens them
  ASSERT_GE(socket, 0);
  plugin("[ -e /proc/self/fd/" + std::to_string(socket) + " ] && echo leaked >&2 && exit 3; " +
         answer(R"("token":"abc")"));
  const auto given = get();
  ::close(socket);
  ASSERT_TRUE(given.has_value()) << given.error().detail;
}

TEST_F(Exec, is_killed_by_close_and_is_not_run_after_it) {
  plugin("echo $$ > parent; sleep 1000");
  std::optional<Given> given;
  boost::asio::co_spawn(context_, source_->get(mono_now() + 60s, today),
                        [&](std::exception_ptr, Given result) { given.emplace(std::move(result)); });
  const std::string pid = await_line("parent");
  source_->close();
  while (!given && context_.run_one_for(10s) != 0) {
  }
  EXPECT_EQ(given->error().code, Errc::cancelled);
  EXPECT_TRUE(ends(pid));
  EXPECT_EQ(get().error().code, Errc::cancelled);
  EXPECT_EQ(lines("runs").size(), 1U);
}

TEST_F(Exec, counts_as_over_when_the_program_ends_whoever_holds_its_output) {
  plugin("sleep 1000 & echo $! > child; " + answer(R"("token":"abc")"));
  EXPECT_EQ(get().value()->token, "abc");
  EXPECT_TRUE(ends(lines("child").at(0)));
}

TEST_F(Exec, may_fail_and_is_run_again_for_who_asks_next) {
  plugin("if [ -e gate ]; then " + answer(R"("token":"abc")") + "; else echo no session >&2; exit 4; fi");
  EXPECT_EQ(get().error().detail, "user \"u\": the exec plugin /bin/sh failed with exit code 4: no session");
  EXPECT_EQ(get().error().code, Errc::unauthorized);
  EXPECT_EQ(lines("runs").size(), 1U) << "not twice in a second";
  std::ofstream(folder_.path() / "gate") << "open";
  auto given = get();
  for (const auto until = mono_now() + 10s; !given && mono_now() < until;) given = get();
  EXPECT_EQ(given.value()->token, "abc");
}

TEST_F(Exec, that_has_worked_may_fail_once_and_is_asked_again) {
  plugin("if [ -e gate ]; then exit 4; fi; " + answer(R"("token":"abc","expirationTimestamp":"2024-01-15T11:30:00Z")"));
  EXPECT_TRUE(get().has_value());
  std::ofstream(folder_.path() / "gate") << "closed";
  EXPECT_EQ(get(5s, today + 60min).error().code, Errc::unavailable);
}

TEST_F(Exec, is_stopped_when_it_prints_without_end) {
  plugin("yes");
  EXPECT_THAT(get().error().detail, HasSubstr("printed more than an ExecCredential can have"));
  plugin("yes >&2");
  EXPECT_EQ(get(200ms).error().code, Errc::timeout) << "what it says on stderr is read, and mostly dropped";
}

TEST_F(Exec, takes_an_answer_that_is_larger_than_a_pipe) {
  plugin(R"(head -c 300000 /dev/zero | tr '\0' a > big; printf '{"kind":"ExecCredential","apiVersion":)"
         R"("client.authentication.k8s.io/v1","status":{"token":"'; cat big; printf '"}}')");
  EXPECT_EQ(get().value()->token, std::string(300000, 'a'));
}

TEST_F(Exec, names_a_program_that_cannot_be_run) {
  kube::ExecPlugin plugin;
  plugin.field = "user \"u\"";
  plugin.install_hint = "get it from the shelf";
  std::ofstream(folder_.path() / "text") << "no program";
  for (const auto& [command, words] :
       {std::pair(std::string("konductor-has-no-such-login"), "was not found on PATH"),
        std::pair(folder_.path().string() + "/missing", "was not found: No such file or directory"),
        std::pair(folder_.path().string() + "/text", "could not be run: Permission denied")}) {
    plugin.command = command;
    use(plugin);
    EXPECT_EQ(get().error().code, Errc::bad_config);
    EXPECT_EQ(get().error().detail, "user \"u\": the exec plugin " + command + " " + words + "; get it from the shelf");
  }
}

TEST_F(Exec, that_must_ask_is_not_run_where_nobody_is) {
  plugin("true", kube::Interaction::always);
  EXPECT_THAT(get().error().detail, HasSubstr("must ask at a terminal (interactiveMode: Always), and there is none"));
  EXPECT_TRUE(lines("runs").empty());
}

}  // namespace
}  // namespace konductor::io
