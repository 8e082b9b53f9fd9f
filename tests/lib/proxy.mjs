// A TCP proxy between a client and a server whose port may change, which can look at and break the
// PUTs that pass. The same as proxy.py.

import { connect, createServer } from "node:net";

/**
 * `target()` gives the port of now. `onPut(number, sent)` is called while the body of the number-th
 * PUT passes, with its bytes so far; when it answers true the connection is cut.
 */
export async function startProxy(target, onPut = () => false) {
    const proxy = { puts: 0, close };
    const open = new Set();
    const listener = createServer((client) => {
        const server = connect(target(), "127.0.0.1");
        let number = 0;
        let sent = 0;
        open.add(client);
        client.on("data", (data) => {
            if (data.subarray(0, 4).toString() === "PUT ") {
                number = ++proxy.puts;
                sent = 0;
            }
            sent += data.length;
            if (number > 0 && onPut(number, sent)) {
                client.destroy();
                server.destroy();
            } else {
                server.write(data);
            }
        });
        server.on("data", (data) => client.write(data));
        for (const [one, other] of [[client, server], [server, client]]) {
            one.on("error", () => other.destroy());  // the server is down, or one has left
            one.on("close", () => {
                other.destroy();
                open.delete(client);
            });
        }
    });
    await new Promise((ready) => listener.listen(0, "127.0.0.1", ready));
    proxy.origin = `http://127.0.0.1:${listener.address().port}`;
    function close() {
        listener.close();
        open.forEach((client) => client.destroy());
    }
    return proxy;
}
