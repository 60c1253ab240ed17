import { assertEquals } from "../assert.ts";
import { tandemConfig } from "../../bench/products_io.ts";
import { SCENARIOS } from "../../bench/scenarios.ts";
import { loadConfig } from "../../mod/config/load.ts";

const SERVERS = {
  ports: [9001, 9002],
  tlsPorts: [9003, 9004],
  busyPort: 9005,
  authority: "authority.pem",
  files: ".",
};

for (const scenario of SCENARIOS) {
  Deno.test(`tandemConfig() of ${scenario.name} is a configuration without problems or warnings`, async () => {
    const ports = Array.from({ length: scenario.listeners }, (_, index) => 8000 + index);
    const certificate = scenario.tls ? { cert: "bench.pem", key: "bench.key", both: "" } : null;
    const text = tandemConfig(scenario, SERVERS, ports, certificate);
    const result = await loadConfig(text, {
      file: "bench.yaml",
      node: null,
      context: null,
      env: () => undefined,
    });
    assertEquals("problems" in result ? result.problems : [], []);
    assertEquals(result.warnings, []);
    assertEquals("config" in result && result.config.listeners.length, scenario.listeners);
  });
}
