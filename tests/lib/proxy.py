"""A TCP proxy between a client and a server whose port may change, which can look at and break
the PUTs that pass."""

import socket
import threading


class Proxy:
    """`target()` gives the port of now. `on_put(number, sent)` is called while the body of the
    number-th PUT passes, with its bytes so far; when it answers True the connection is cut."""

    def __init__(self, target, on_put=lambda number, sent: False):
        self.target, self.on_put = target, on_put
        self.puts = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.target()), 5)
        except OSError:
            client.close()  # the server is down: so is the connection
            return
        server.settimeout(None)
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        try:
            self._forward(client, server)
        except OSError:
            pass  # one of the two is gone
        finally:
            end(server)
            back.join()
            end(client)

    def _forward(self, client, server):
        number, sent = 0, 0
        while data := client.recv(65536):
            if data.startswith(b"PUT "):
                with self._lock:
                    self.puts += 1
                    number, sent = self.puts, 0
            if number:
                sent += len(data)
                if self.on_put(number, sent):
                    end(client)
                    return
            server.sendall(data)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    end(sink)


def end(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
