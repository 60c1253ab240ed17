/** What the peer set (RFC 9113 section 6.5). */
import { read16, read32 } from "./bytes.ts";
import {
  DEFAULT_WINDOW,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  NO_ERROR,
  PROTOCOL_ERROR,
  SETTINGS_ENABLE_CONNECT_PROTOCOL,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_FRAME_SIZE,
} from "./frame.ts";

const DEFAULT_TABLE_BYTES = 4096;
const MOST_FRAME_BYTES = 2 ** 24 - 1;

export class PeerSettings {
  /** Window of a stream that is opened now. Our frames and tables stay within the defaults, whatever more is allowed. */
  initialWindow = DEFAULT_WINDOW;
  /** The peer wants a table of fields smaller than the default one. */
  tableShrank = false;
  /** Streams that the peer lets us have open at once. */
  mostStreams = Infinity;
  /** The peer takes protocols within streams (RFC 8441 section 3). */
  takesProtocols = false;

  /** Reads the payload of a SETTINGS frame; returns an error code. */
  read(bytes: Uint8Array, start: number, end: number): number {
    if ((end - start) % 6 !== 0) return FRAME_SIZE_ERROR;
    for (let at = start; at < end; at += 6) {
      const value = read32(bytes, at + 2);
      switch (read16(bytes, at)) {
        case SETTINGS_HEADER_TABLE_SIZE:
          this.tableShrank = value < DEFAULT_TABLE_BYTES;
          break;
        case SETTINGS_ENABLE_PUSH:
          if (value > 1) return PROTOCOL_ERROR;
          break;
        case SETTINGS_ENABLE_CONNECT_PROTOCOL:
          if (value > 1 || value === 0 && this.takesProtocols) return PROTOCOL_ERROR;
          this.takesProtocols = value === 1;
          break;
        case SETTINGS_MAX_CONCURRENT_STREAMS:
          this.mostStreams = value;
          break;
        case SETTINGS_INITIAL_WINDOW_SIZE:
          if (value > MAX_WINDOW) return FLOW_CONTROL_ERROR;
          this.initialWindow = value;
          break;
        case SETTINGS_MAX_FRAME_SIZE:
          if (value < MAX_FRAME_BYTES || value > MOST_FRAME_BYTES) return PROTOCOL_ERROR;
      }
    }
    return NO_ERROR;
  }
}
