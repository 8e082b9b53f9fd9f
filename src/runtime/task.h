// The coroutine type of the project: `Task<T>` awaits, `Asked<T>` awaits a Result.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "base/result.h"

namespace kinodex::runtime {

template <class T>
using Task = boost::asio::awaitable<T>;
template <class T>
using Asked = boost::asio::awaitable<base::Result<T>>;

}  // namespace kinodex::runtime
