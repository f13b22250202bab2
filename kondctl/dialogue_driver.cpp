#include "kondctl/dialogue_driver.hpp"

#include "io/clock.hpp"
#include "io/process.hpp"
#include "kube/line_splitter.hpp"
#include "kube/watch_event.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <utility>

namespace konductor::kondctl {

namespace {

namespace asio = boost::asio;

// Bookmarks come about every minute; a stream that is silent for longer is dead.
constexpr Duration silent_watch = std::chrono::seconds{90};

constexpr Duration clock_agreement = std::chrono::seconds{2};

// One watch stream. Shared by its coroutine and the dialogue, which may cancel it.
struct WatchStream {
  std::uint64_t id = 0;
  kube::Request request;
  kube::LineSplitter lines;
  asio::cancellation_signal cancel;
};

void await_signal(asio::signal_set& signals, Dialogue& dialogue) {
  signals.async_wait([&](const boost::system::error_code& error, int number) {
    if (error) return;
    dialogue.tell(Signalled{number == SIGTERM ? Signal::terminate : Signal::interrupt});
    await_signal(signals, dialogue);
  });
}

}  // namespace

class Dialogue::Impl {
 public:
  Impl(Session& session, Resume resume)
      : session_(session), resume_(std::move(resume)), timer_(session.io.get_executor()) {}

  void run() {
    session_.io.restart();
    tell(Woken{});
    if (!over_) session_.io.run();
    session_.client->close();
  }

  // The driver's whole part: tell the machine, do what it says.
  void tell(const DialogueEvent& event) {
    if (over_) return;
    DialogueStep step;
    over_ = !resume_(event, now(), step);
    for (DialogueStep::Sending& sending : step.send) send(std::move(sending));
    if (step.watch) watch(std::move(*step.watch));
    if (over_) {
      session_.io.stop();
    } else {
      wake_at(step.wake_at);
    }
    // Whoever reads them may have stopped to: nothing waits for that.
    for (const std::string& note : step.notes) session_.console.note(note);
  }

 private:
  // The server tells its time in whole seconds. Where our own clock agrees with it, ours is the finer one, and orders
  // those who ask within one second.
  Now now() {
    Now read = session_.client->now();
    const runtime::WallTime own = io::wall_now();
    if (std::chrono::abs(own - read.server) <= clock_agreement) read.server = own;
    return read;
  }

  void send(DialogueStep::Sending sending) {
    log(sending.request);
    asio::co_spawn(session_.io, send_one(std::move(sending)), asio::detached);
  }

  asio::awaitable<void> send_one(DialogueStep::Sending sending) {
    auto answer = co_await session_.client->send(sending.request, sending.time);
    tell(Answered{sending.id, std::move(answer)});
  }

  void watch(DialogueStep::Watching watching) {
    log(watching.request);
    if (stream_) stream_->cancel.emit(asio::cancellation_type::terminal);
    stream_ = std::make_shared<WatchStream>();
    stream_->id = watching.id;
    stream_->request = std::move(watching.request);
    asio::co_spawn(session_.io, read_watch(stream_),
                   asio::bind_cancellation_slot(stream_->cancel.slot(), asio::detached));
  }

  asio::awaitable<void> read_watch(std::shared_ptr<WatchStream> stream) {
    std::optional<Error> refused;
    io::StreamSink sink;
    sink.on_response = [&refused](const kube::Response& response) {
      if (response.status == 200) return;
      if (const auto answer = kube::classify(response, "watch"); !answer) refused = answer.error();
    };
    sink.on_bytes = [this, &stream](std::string_view bytes) { read_lines(*stream, bytes); };
    const auto end = co_await session_.client->stream(stream->request, sink, silent_watch);
    if (!refused && !end) refused = end.error();
    tell(WatchEnded{stream->id, refused});
  }

  void read_lines(WatchStream& stream, std::string_view bytes) {
    const auto lines = stream.lines.feed(bytes);
    if (!lines) return tell(WatchEnded{stream.id, lines.error()});
    for (const std::string& line : *lines) {
      const auto event = kube::parse_watch_line(line);
      if (!event) return tell(WatchEnded{stream.id, event.error()});
      if (event->type == kube::WatchEventType::bookmark) continue;
      if (event->type == kube::WatchEventType::deleted) {
        tell(ObjectGone{stream.id});
      } else {
        tell(ObjectSeen{stream.id, event->object});
      }
    }
  }

  void wake_at(std::optional<MonoTime> time) {
    timer_.cancel();
    if (!time) return;
    timer_.expires_at(*time);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) tell(Woken{});
    });
  }

  void log(const kube::Request& request) {
    session_.console.detail(std::string(to_string(request.method)) + " " + request.target);
  }

  Session& session_;
  Resume resume_;
  io::BootTimer timer_;
  std::shared_ptr<WatchStream> stream_;
  bool over_ = false;
};

Dialogue::Dialogue(Session& session, Resume resume) : impl_(std::make_unique<Impl>(session, std::move(resume))) {}
Dialogue::~Dialogue() = default;

void Dialogue::run() {
  impl_->run();
}

void Dialogue::tell(const DialogueEvent& event) {
  impl_->tell(event);
}

void drive_dialogue(Session& session, Resume resume) {
  Dialogue dialogue(session, std::move(resume));
  asio::signal_set signals(session.io);
  for (const int number : {SIGINT, SIGTERM}) {
    if (io::may_hear(number)) signals.add(number);
  }
  await_signal(signals, dialogue);
  dialogue.run();
}

}  // namespace konductor::kondctl
