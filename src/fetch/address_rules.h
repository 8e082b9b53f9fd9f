// Which connections may be made for a client: to the public internet, and to what an operator
// allowed besides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fetch/address.h"

namespace kinodex::fetch {

class AddressRules {
  public:
    /// `allowed`: a comma list of host, host:port, address, address:port or network (CIDR); IPv6
    /// addresses stand in brackets when a port follows. A name allows whatever it resolves to.
    /// Errors: parameter_invalid whose reason names the entry.
    static base::Result<AddressRules> parse(std::string_view allowed);

    /// May a connection be made to `address` for a URL of this host and port?
    [[nodiscard]] bool allow(std::string_view host, std::uint16_t port,
                             const Address& address) const;

  private:
    struct Entry {
        std::string host;  // lower case; empty for addresses
        Network network;
        std::uint16_t port = 0;  // 0: any
    };
    static base::Result<Entry> parse_entry(std::string_view text);

    std::vector<Entry> entries_;
};

}  // namespace kinodex::fetch
