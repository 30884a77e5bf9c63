"""GStreamer's RTSP server; run as a script, by a Python that has GStreamer's bindings.

It serves under rtsp://127.0.0.1:PORT/cam what comes by standard input: for each picture width and height,
two little-endian 16 bit numbers, then its BGR bytes. It writes the port when it is ready.
"""

from __future__ import annotations

import struct
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( appsrc name=pictures is-live=true format=time do-timestamp=true max-buffers=2 leaky-type=downstream "
    "! videoconvert ! video/x-raw,format=I420 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={gop} quantizer=24 pass=qual threads=1 "
    "! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


def main(port: str, fps: int) -> None:
    """Serve until standard input ends."""
    Gst.init(None)
    source: list[Gst.Element] = []

    def configure(_: object, media: GstRtspServer.RTSPMedia) -> None:
        found = media.get_element().get_by_name("pictures")
        media.connect("unprepared", lambda *_: source.clear())
        source[:] = [found]

    def feed() -> None:
        size = None
        while len(head := sys.stdin.buffer.read(4)) == 4:
            width, height = struct.unpack("<HH", head)
            data = sys.stdin.buffer.read(width * height * 3)
            for each in tuple(source):
                if size != (each, width, height):
                    size = each, width, height
                    caps = f"video/x-raw,format=BGR,width={width},height={height},framerate={fps}/1"
                    each.set_property("caps", Gst.Caps.from_string(caps))
                each.emit("push-buffer", Gst.Buffer.new_wrapped(data))
        loop.quit()

    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(gop=max(fps // 4, 1)))
    factory.set_shared(True)
    factory.connect("media-configure", configure)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=port)
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    loop = GLib.MainLoop()
    threading.Thread(target=feed, daemon=True).start()
    print(server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
