// A server that does what a test tells it to, and what no real one does when asked. For tests only.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace kinodex::fetch {

class TestPeer {
  public:
    /// What becomes of a connection: `say` returns false once the other side is gone.
    struct Talk {
        int fd;
        std::string head;  // of the request, and its body as far as it came with it
        int number;        // of the connection, from 1

        bool say(std::string_view bytes) const {
            while (!bytes.empty()) {
                const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
                if (sent <= 0) {
                    return false;
                }
                bytes.remove_prefix(static_cast<std::size_t>(sent));
            }
            return true;
        }
        /// Until the other side closes.
        void wait() const {
            char byte = 0;
            while (::recv(fd, &byte, 1, 0) > 0) {
            }
        }
        [[nodiscard]] bool has(std::string_view words) const {
            return head.find(words) != std::string::npos;
        }
    };

    explicit TestPeer(std::function<void(const Talk&)> script) : script_(std::move(script)) {
        listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        socklen_t length = sizeof address;
        EXPECT_EQ(::bind(listener_.get(), raw, length), 0);
        EXPECT_EQ(::listen(listener_.get(), 16), 0);
        EXPECT_EQ(::getsockname(listener_.get(), raw, &length), 0);
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    ~TestPeer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        acceptor_.join();
        for (auto& each : talkers_) {
            each.join();
        }
    }
    TestPeer(const TestPeer&) = delete;
    TestPeer& operator=(const TestPeer&) = delete;

    [[nodiscard]] std::string host_port() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::string url(std::string_view path = "/") const {
        return "http://" + host_port() + std::string(path);
    }
    [[nodiscard]] std::string port() const { return std::to_string(port_); }
    [[nodiscard]] int connections() const { return connections_; }

  private:
    void accept_all() {
        while (true) {
            const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) {
                return;
            }
            const int number = ++connections_;
            talkers_.emplace_back([this, fd, number] { talk(fd, number); });
        }
    }
    void talk(int raw, int number) {
        const base::UniqueFd fd(raw);
        std::string head;
        char bytes[4096];
        while (head.find("\r\n\r\n") == std::string::npos) {
            const auto got = ::recv(raw, bytes, sizeof bytes, 0);
            if (got <= 0) {
                return;
            }
            head.append(bytes, static_cast<std::size_t>(got));
        }
        script_(Talk{raw, std::move(head), number});
    }

    std::function<void(const Talk&)> script_;
    base::UniqueFd listener_;
    unsigned port_ = 0;
    std::atomic<int> connections_ = 0;
    std::vector<std::thread> talkers_;  // of the acceptor alone until it has ended
    std::thread acceptor_;
};

}  // namespace kinodex::fetch
