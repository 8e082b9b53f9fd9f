// For tests: a client that writes and reads raw bytes, with a deadline on every wait.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace kinodex::http::testing {

struct Answer {
    unsigned status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    [[nodiscard]] std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

class Client {
  public:
    enum class Expect { body, no_body };

    explicit Client(std::uint16_t port) : socket_(open_socket(port)) {
        EXPECT_TRUE(socket_) << "cannot connect";
    }

    static bool can_connect(std::uint16_t port) { return static_cast<bool>(open_socket(port)); }

    /// Sends everything, or fails the test.
    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            ASSERT_GT(sent, 0) << "the peer takes no more";
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void try_send(std::string_view bytes) {
        [[maybe_unused]] const auto ignored =
            ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    [[nodiscard]] bool is_readable() const {
        pollfd entry{socket_.get(), POLLIN, 0};
        return ::poll(&entry, 1, 1) == 1;
    }

    /// The next answer; its status is 0 when the connection ends first.
    Answer read_answer(Expect expect = Expect::body) {
        Answer answer;
        std::size_t end = 0;
        while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
            if (!receive()) {
                return answer;
            }
        }
        parse_head(received_.substr(0, end + 2), answer);
        received_.erase(0, end + 4);
        const auto length = answer.header("content-length");
        if (expect == Expect::no_body || length.empty()) {
            return answer;
        }
        const auto size = std::stoul(length);
        while (received_.size() < size && receive()) {
        }
        answer.body = received_.substr(0, size);
        received_.erase(0, size);
        return answer;
    }

    /// True when the server has closed cleanly and nothing is left to read.
    bool is_at_end() {
        char byte = 0;
        return received_.empty() && ::recv(socket_.get(), &byte, 1, 0) == 0;
    }

  private:
    static base::UniqueFd open_socket(std::uint16_t port) {
        base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const timeval patience{20, 0};
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            socket.reset();
        }
        return socket;
    }

    static void parse_head(std::string_view head, Answer& answer) {
        answer.status = static_cast<unsigned>(std::stoul(std::string(head.substr(9, 3))));
        head.remove_prefix(head.find("\r\n") + 2);
        while (!head.empty()) {
            const auto line = head.substr(0, head.find("\r\n"));
            std::string name(line.substr(0, line.find(':')));
            for (auto& c : name) {
                c = static_cast<char>(std::tolower(c));
            }
            answer.headers[name] = line.substr(line.find(':') + 2);
            head.remove_prefix(line.size() + 2);
        }
    }

    bool receive() {
        char buffer[64 * 1024];
        const auto got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
        if (got > 0) {
            received_.append(buffer, static_cast<std::size_t>(got));
        }
        return got > 0;
    }

    base::UniqueFd socket_;
    std::string received_;
};

inline void allow_descriptors(std::size_t count) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < count) {
        limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
    ASSERT_GE(limit.rlim_cur, count) << "raise the hard limit of open files";
}

inline std::size_t resident_bytes() {
    std::size_t pages = 0;
    std::size_t resident = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%zu %zu", &pages, &resident) != 2) {
            resident = 0;
        }
        std::fclose(file);
    }
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace kinodex::http::testing
