// The shape that most lists have: a page of items, found with one call and written one by one.
#pragma once

#include "api/endpoint.h"
#include "api/wire.h"

namespace kinodex::api {

/// `find(account, P)` asks for the page; P has the number of it as `page`. `write(out, item)`
/// appends one item, which is as `item` says.
template <class P, class Write, class Find>
Endpoint page_endpoint(Headline headline, Schema item, std::vector<Errc> errors,
                       std::vector<Field> fields, Write write, Find find) {
    return endpoint<P>(std::move(headline), answers(200, page_of(std::move(item))),
                       std::move(errors), std::move(fields),
                       [write, find](Caller caller, P in) -> Asked<Reply> {
                           const auto page = in.page;
                           KN_CO_TRY(paged, co_await find(caller.account, std::move(in)));
                           co_return Reply{page_json(paged, page, write), {}};
                       });
}

}  // namespace kinodex::api
