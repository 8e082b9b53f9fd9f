// What tests of export and import stand on: all rows of a store, and another store that takes them.
#pragma once

#include <map>

#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {

/// All lines of what is exported, by kind.
class Lines {
  public:
    Lines(Store& store, ExportScope scope) {
        for (const auto& kind : store.transfer().row_kinds()) {
            auto& lines = by_kind_[kind];
            std::int64_t after = 0;
            while (true) {
                auto rows = wait(store.transfer().export_rows(kind, scope, after, 2)).value();
                if (rows.lines.empty()) {
                    break;
                }
                after = rows.last;
                lines.insert(lines.end(), rows.lines.begin(), rows.lines.end());
            }
        }
    }
    [[nodiscard]] const std::vector<std::string>& of(const std::string& kind) const {
        return by_kind_.at(kind);
    }
    bool operator==(const Lines&) const = default;

  private:
    std::map<std::string, std::vector<std::string>> by_kind_;
};

/// Another store, with an account of its own that takes what comes.
class Target {
  public:
    explicit Target(BackendFactory make) : backend_(make()), store_(backend_->open()) {}

    Store& store() { return *store_; }
    [[nodiscard]] domain::AccountId account() const { return account_; }
    [[nodiscard]] Lines lines() { return {store(), {account_, {}}}; }
    /// All kinds in order: what was added and what was there before, of all.
    ImportCounts take(const Lines& lines) {
        ImportCounts sum;
        for (const auto& kind : store().transfer().row_kinds()) {
            auto counts = wait(store().transfer().import_rows(kind, account_, lines.of(kind)));
            EXPECT_TRUE(counts) << kind << ": " << (counts ? "" : counts.error().value("reason"));
            sum.added += counts ? counts->added : 0;
            sum.there_before += counts ? counts->there_before : 0;
        }
        return sum;
    }
    std::vector<std::string> jobs(domain::JobKind kind) {
        std::vector<std::string> subjects;
        while (true) {
            auto job = wait(store().lease_job({kind}, "test", base::now() + std::chrono::hours(1)));
            if (!job || !*job) {
                return subjects;
            }
            subjects.push_back((*job)->subject);
        }
    }

  private:
    std::unique_ptr<Backend> backend_;
    std::unique_ptr<Store> store_;
    domain::AccountId account_ = domain::AccountId::next();
};

/// Of a refusal that has one.
inline std::string reason_of(const base::Error& error) {
    EXPECT_EQ(error.code, base::Errc::parameter_invalid);
    return std::string(error.value("reason"));
}

/// The line with `text` where `old` was.
inline std::string with(std::string line, const std::string& old, const std::string& text) {
    const auto at = line.find(old);
    EXPECT_NE(at, std::string::npos) << old << " in " << line;
    return at == std::string::npos ? line : line.replace(at, old.size(), text);
}

}  // namespace kinodex::store::conformance
