#include "io/command_group.hpp"

#include "io/clock.hpp"
#include "io/file.hpp"
#include "io/group_guard.hpp"
#include "io/name_lock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace konductor::io::test {
namespace {

using std::chrono::milliseconds;

void nothing() {}

/// Blocks until it has ended; it is still to be collected.
void await_end(pid_t pid) {
  siginfo_t seen{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &seen, WEXITED | WNOWAIT), 0);
}

/// The number of a command whose group is watched; 0: it could not be started.
pid_t start_watched(CommandGroup& command, GroupGuard& guard, const std::vector<std::string>& words) {
  pid_t pid = 0;
  const auto started = command.start(words, {}, [&](pid_t group) {
    pid = group;
    guard.watch(group);
  });
  return started ? pid : 0;
}

CommandEnd end_of(const std::vector<std::string>& words, const std::vector<std::string>& environment = {}) {
  CommandGroup command;
  pid_t pid = 0;
  const auto started = command.start(words, environment, [&pid](pid_t group) { pid = group; });
  EXPECT_TRUE(started) << words.front();
  if (!started) return {};
  await_end(pid);
  const auto end = command.look(nothing);
  EXPECT_TRUE(end);
  return end.value_or(CommandEnd{});
}

TEST(CommandGroup, says_how_a_command_ended) {
  EXPECT_EQ(end_of({"true"}).code, 0);
  EXPECT_EQ(end_of({"sh", "-c", "exit 7"}).code, 7);
  const CommandEnd killed = end_of({"sh", "-c", "kill -9 $$"});
  EXPECT_EQ(killed.code, 137);
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_EQ(end_of({"sh", "-c", "test \"$WORD\" = \"a b\" && test $$ = $(ps -o pgid= $$)"}, {"WORD=a b"}).code, 0);
}

TEST(CommandGroup, tells_what_is_not_there_from_what_is_no_program) {
  CommandGroup command;
  const auto start = [&command](const char* word) { return command.start({word}, {}, [](pid_t) {}); };
  EXPECT_EQ(start("no-such-program").error().code, Errc::not_found);
  EXPECT_EQ(start("/no/such/program").error().code, Errc::not_found);
  EXPECT_EQ(start("/").error().code, Errc::bad_config);
  EXPECT_EQ(start("/etc/passwd").error().code, Errc::bad_config);
}

TEST(CommandGroup, inherits_what_is_ignored_and_nothing_that_was_opened_later) {
  CommandGroup command;
  std::signal(SIGPIPE, SIG_IGN);  // later: it is ours, and not the command's
  std::FILE* const later = std::fopen("/dev/null", "r");
  pid_t pid = 0;
  const std::string script = "test ! -e /proc/$$/fd/" + std::to_string(fileno(later)) + " && kill -PIPE $$; exit 1";
  ASSERT_TRUE(command.start({"sh", "-c", script}, {}, [&pid](pid_t group) { pid = group; }));
  await_end(pid);
  EXPECT_EQ(command.look(nothing)->signal, SIGPIPE);
  std::fclose(later);
  std::signal(SIGPIPE, SIG_DFL);
}

TEST(CommandGroup, kills_what_is_left_in_the_group) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // what is left becomes ours, so that its end can be awaited
  CommandGroup command;
  pid_t pid = 0;
  ASSERT_TRUE(command.start({"sh", "-c", "sleep 1000 & exit 3"}, {}, [&pid](pid_t group) { pid = group; }));
  await_end(pid);
  bool before = false;
  const auto end = command.look([&] { before = kill(pid, 0) == 0; });
  EXPECT_EQ(end->code, 3);
  EXPECT_TRUE(before) << "said while the number was still its own";
  EXPECT_GT(waitpid(-pid, nullptr, 0), 0);
  EXPECT_FALSE(command.has_remains());
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(GroupGuard, kills_the_group_at_the_time_that_it_was_told_last) {
  auto guard = GroupGuard::start();
  ASSERT_TRUE(guard);
  CommandGroup command;
  (*guard)->kill_at(mono_now() + std::chrono::hours{1});
  const pid_t pid = start_watched(command, **guard, {"sleep", "1000"});
  ASSERT_GT(pid, 0);
  const auto at = mono_now() + milliseconds{100};
  (*guard)->kill_at(mono_now() + std::chrono::hours{2});
  (*guard)->kill_at(at);
  await_end(pid);
  EXPECT_GE(mono_now(), at);
  EXPECT_EQ(command.look(nothing)->signal, SIGKILL);
}

TEST(GroupGuard, kills_the_group_when_nobody_tells_it_anything_any_more) {
  auto guard = GroupGuard::start();
  ASSERT_TRUE(guard);
  CommandGroup command;
  pid_t pid = 0;
  ASSERT_TRUE(command.start({"sh", "-c", "trap '' TERM HUP INT; sleep 1000"}, {}, [&](pid_t group) {
    pid = group;
    (*guard)->watch(group);
  }));
  guard->reset();
  await_end(pid);
  EXPECT_EQ(command.look(nothing)->signal, SIGKILL);
}

TEST(GroupGuard, kills_nothing_once_it_is_done) {
  auto guard = GroupGuard::start();
  ASSERT_TRUE(guard);
  CommandGroup command;
  const pid_t pid = start_watched(command, **guard, {"sleep", "1000"});
  ASSERT_GT(pid, 0);
  const pid_t guarding = (*guard)->pid();
  (*guard)->done();
  await_end(guarding);
  guard->reset();
  EXPECT_EQ(kill(pid, 0), 0);
  command.signal(SIGTERM);
  await_end(pid);
  EXPECT_EQ(command.look(nothing)->signal, SIGTERM) << "not by the guard";
}

TEST(GroupGuard, is_started_again_where_somebody_killed_it) {
  auto guard = GroupGuard::start();
  ASSERT_TRUE(guard);
  CommandGroup command;
  const pid_t pid = start_watched(command, **guard, {"sleep", "1000"});
  ASSERT_GT(pid, 0);
  const pid_t first = (*guard)->pid();
  kill(first, SIGKILL);
  await_end(first);
  EXPECT_TRUE((*guard)->look());
  EXPECT_NE((*guard)->pid(), first);
  (*guard)->kill_at(mono_now() + milliseconds{10});
  await_end(pid);
  EXPECT_EQ(command.look(nothing)->signal, SIGKILL);
}

TEST(NameLock, gives_a_name_to_one_at_a_time) {
  const std::string name = "konductor/test-" + std::to_string(getpid());
  NameLock second;
  {
    NameLock first;
    EXPECT_EQ(*first.take(name), true);
    EXPECT_EQ(*first.take(name), true);
    EXPECT_EQ(*second.take(name), false);
    EXPECT_EQ(*first.take(name + "-other"), true);
    EXPECT_EQ(*second.take(name), true) << "it has one at a time";
    EXPECT_EQ(*second.take(name + "-other"), false);
  }
  EXPECT_EQ(*second.take(name + "-other"), true);
  EXPECT_FALSE(second.take(std::string(200, 'x')));
}

TEST(File, is_there_whole_or_not_at_all) {
  const auto folder = std::filesystem::temp_directory_path() / ("konductor-file-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const std::string path = folder / "ready";
  ASSERT_TRUE(write_file(path, "one\n"));
  ASSERT_TRUE(write_file(path, "two\n"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  EXPECT_EQ(std::filesystem::file_size(path), 4U);
  remove_file(path);
  remove_file(path);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(write_file(folder / "none" / "ready", "x").error().code, Errc::bad_config);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace konductor::io::test
