// The one place where Asio and Beast are compiled; all other files see declarations only.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
