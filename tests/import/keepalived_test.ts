/** What a conversion says, and that Tandem accepts it; keepalived's own examples come with its Debian package. */
import fc from "fast-check";
import { importKeepalived } from "../../mod/import/keepalived.ts";
import { expandLines } from "../../mod/import/keepalived_lines.ts";
import { parseKeepalived, type Statement } from "../../mod/import/keepalived_text.ts";
import { type Fate, SYNC_GROUP_OPTIONS, TRACKED, VRRP_OPTIONS } from "../../mod/import/vrrp_options.ts";
import { assert, assertEquals } from "../assert.ts";
import { good, load } from "../config/reading.ts";

const alone = (id: string | null) => ({ id, include: () => [] });
const convert = (text: string, id: string | null = null) =>
  importKeepalived({ file: "k.conf", text }, alone(id));
const instance = (...lines: string[]) =>
  `vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.1/24\n}\n${
    lines.join("\n")
  }\n}\n`;
const first = async (text: string) => (await good(convert(text))).vrrp.instances[0]!;
/** The comments about lines of the source. */
const comments = (text: string) => [...convert(text).matchAll(/^ *# (\d+: .*)$/gm)].map(([, told]) => told);

Deno.test("importKeepalived() an instance with all that has an equivalent", async () => {
  const one = await first(
    'global_defs {\nvrrp_version 3\n}\nvrrp_script s {\nscript "/bin/check a"\ninterval 3\ntimeout 2\nweight -5\n}\n' +
      instance(
        "priority 150\nadvert_int 0.2\npreempt_delay 60",
        "unicast_peer {\n10.0.0.3\n}\ntrack_interface {\neth1\neth2 weight -7\n}\ntrack_script {\ns\n}",
      ),
  );
  const { name, interface: device, routerId, priority, advertInterval, transport, preempt, peers } = one;
  assertEquals([name, device, routerId, priority], ["VI_1", "eth0", 51, 150]);
  assertEquals([advertInterval, transport, preempt, peers], [200, "vrrp3", 60_000, ["10.0.0.3"]]);
  assertEquals(one.addresses, [{ address: "10.0.0.1", prefix: 24 }]);
  assertEquals(one.track, [
    { kind: "interface", name: "eth1", weight: null },
    { kind: "interface", name: "eth2", weight: -7 },
    {
      kind: "exec",
      command: ["/bin/check", "a"],
      intervalMs: 3000,
      timeoutMs: 2000,
      rise: 1,
      fall: 1,
      initial: "unknown",
      weight: -5,
    },
  ]);
});

Deno.test("importKeepalived() the version is the instance's, the global one, 2, or what IPv6 needs", async () => {
  assertEquals((await first(instance())).transport, "vrrp2");
  assertEquals((await first(instance("version 3"))).transport, "vrrp3");
  assertEquals((await first(instance("version 2") + "global_defs {\nvrrp_version 3\n}")).transport, "vrrp2");
  assertEquals((await first(instance().replace("10.0.0.1/24", "fe80::1/64"))).transport, "vrrp3");
});

Deno.test("importKeepalived() the user of scripts", async () => {
  const user = async (line: string) =>
    (await good(convert(`global_defs {\n${line}\n}\n${instance()}`))).vrrp.scriptUser;
  assertEquals(await user("script_user nobody daemon"), "nobody:daemon");
  assertEquals(await user("script_user nobody"), "nobody");
});

Deno.test("importKeepalived() a virtual MAC is for multicast", async () => {
  assertEquals((await first(instance("use_vmac vrrp.9"))).virtualMac, true);
  assertEquals((await first(instance("use_vmac").replace("10.0.0.1", "fe80::1"))).virtualMac, true);
  const text = instance("use_vmac", "unicast_peer {\n10.0.0.2\n}");
  assertEquals((await first(text)).virtualMac, false);
  assert(comments(text).includes("7: use_vmac: is only for multicast"));
});

Deno.test("importKeepalived() excluded addresses are those that are not advertised, of either family", async () => {
  const text = instance("virtual_ipaddress_excluded {\n10.0.0.1\n10.0.0.9\nfd00::9/64 dev eth0\nx\n}");
  const { addresses, unadvertised } = await first(text);
  assertEquals([addresses, unadvertised], [
    [{ address: "10.0.0.1", prefix: 24 }],
    [{ address: "10.0.0.9", prefix: 32 }, { address: "fd00::9", prefix: 64 }],
  ]);
  assertEquals(comments(text), [
    "8: 10.0.0.1: stands here twice",
    "10: fd00::9/64 dev eth0: only the address was taken, on the instance's interface",
    "11: x: is no address",
  ]);
  const macs = text.replace("interface", "use_vmac\ninterface");
  assertEquals((await first(macs)).unadvertised, [{ address: "10.0.0.9", prefix: 32 }]);
});

Deno.test("importKeepalived() what stands for all is told as for one, and what is for the system with a reason", () => {
  const lines = [
    "vrrp_lower_prio_no_advert",
    "vrrp_strict",
    "vrrp_rt_priority 50",
    "smtp_server 127.0.0.1",
    "what",
  ];
  assertEquals(comments(`global_defs {\n${lines.join("\n")}\n}\n`), [
    "2: vrrp_lower_prio_no_advert: always answers a lower advert: two owners would stay two",
    "3: vrrp_strict: what keepalived calls strict is checked always",
    "4: vrrp_rt_priority 50: is the affair of the systemd unit",
    "5: smtp_server 127.0.0.1: sends no mail: onTransition, or an alert on the metrics",
    "6: what: has no equivalent",
  ]);
});

Deno.test("importKeepalived() a password is cut off as keepalived does, and is only for version 2", async () => {
  const auth = "authentication {\nauth_type PASS\nauth_pass hunter2hunter2\n}";
  assertEquals((await first(instance(auth))).password, "hunter2h");
  assertEquals((await first(instance("version 3", auth))).password, undefined);
  assertEquals((await first(instance(auth.replace("PASS", "AH")))).password, undefined);
});

Deno.test("importKeepalived() a sync group is one, with what it tracks", async () => {
  const text = instance() +
    instance().replace("VI_1", "VI_2").replace("eth0", "eth1").replace("10.0.0.1", "10.1.0.1") +
    "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\ntrack_interface {\neth2\n}\nnotify /bin/told\n}\n" +
    "vrrp_sync_group H {\ngroup {\nVI_1\n}\n}\n";
  const { vrrp: { instances } } = await good(convert(text));
  for (const { syncGroup, track } of instances) {
    assertEquals([syncGroup, track], ["G", [{ kind: "interface", name: "eth2", weight: null }]]);
  }
  assertEquals(comments(text).map((told = "") => told.replace(/:.*: /, ":")), [
    "25:onTransition runs one program, with instance, old state, new state and reason as arguments",
    "27:VI_1 is of another sync group already",
  ]);
});

Deno.test("importKeepalived() what has no equivalent stands in a comment with its line", () => {
  assertEquals(
    comments(
      instance("use_ipvlan", "advert_int 0.5", "nonsense { a\nb }").replace(
        "10.0.0.1/24",
        "10.0.0.1 dev eth3",
      ),
    ),
    [
      "5: 10.0.0.1 dev eth3: only the address was taken, on the instance's interface",
      "7: use_ipvlan: with virtualMac: true addresses and adverts have the virtual MAC, on a macvlan; nothing else",
      "8: advert_int 0.5: is no interval of version 2: became 1s",
      "9: nonsense: is not known to tandem import",
      "9: a",
      "10: b",
    ],
  );
});

Deno.test("importKeepalived() scripts with rise and fall, processes and files, by weight and reverse", async () => {
  const tracks = async (sections: string, uses: string) =>
    (await first(sections + instance(uses))).track.map(({ kind, ...rest }) => ({ kind, ...rest } as object));
  const script = { kind: "exec", command: ["/bin/a"], intervalMs: 1000, timeoutMs: 1000 };
  const once = { rise: 1, fall: 1, initial: "unknown" };
  assertEquals(
    await tracks("vrrp_script s {\nscript /bin/a\nrise 3\nfall 2\ninit_fail\n}\n", "track_script {\ns\n}"),
    [{ ...script, rise: 3, fall: 2, initial: "bad", weight: null, fault: true }],
  );
  assertEquals(
    await tracks("vrrp_script s {\nscript /bin/a\nweight 9\n}\n", "track_script {\ns weight 7 reverse\n}"),
    [{ ...script, ...once, weight: -7, invert: true }],
  );
  assertEquals(await tracks("", "track_interface {\neth1 reverse\neth2 weight -5 reverse\n}"), [
    { kind: "interface", name: "eth1", weight: null, invert: true },
    { kind: "interface", name: "eth2", weight: 5, invert: true },
  ]);
  const running = { kind: "process", name: "nginx", minRunning: 1, maxRunning: null, rise: 1, fall: 1 };
  assertEquals(
    await tracks(
      "vrrp_track_process p {\nprocess /usr/sbin/nginx\nquorum 2\ndelay 1.5\n}\n" +
        "vrrp_track_process q {\nprocess nginx\nquorum_max 0\nweight 0\n}\n" +
        "vrrp_track_process r {\nprocess nginx -g\n}\n",
      "track_process {\np\nq\nr\n}",
    ),
    [
      { ...running, minRunning: 2, rise: 3, fall: 3, weight: 1 },
      { ...running, minRunning: 0, maxRunning: 0, weight: null, fault: true },
    ],
  );
  assertEquals(
    await tracks(
      "track_file f {\nfile /run/f\nweight 2\ninit_file 0\n}\nvrrp_track_file g {\nfile /run/g\nweight 0\n}\n",
      "track_file {\nf\nf weight 3 reverse\ng\nh\n}",
    ),
    [
      { kind: "number", name: "/run/f", weight: 2 },
      { kind: "number", name: "/run/f", weight: -3 },
      { kind: "file", name: "/run/g", weight: null, fault: true },
    ],
  );
});

Deno.test("importKeepalived() routes and rules that move with the address, or why not", async () => {
  const text = instance(
    "virtual_routes {\nsrc 10.0.0.1 to 10.9.0.0/16 via 10.0.0.9 dev eth1 scope link\ndefault gw 10.0.0.254 table 100 metric 5\n" +
      "blackhole 10.8.0.0/16 no_track\n10.7.0.0/16 via 10.0.0.1 or 10.0.0.2\n10.6.0.0/16 via fe80::1\n}\n" +
      "virtual_rules {\nfrom 10.5.0.0/16 table 100 priority 7\nto 10.4.0.0/16 lookup main\nfwmark 7 table 1\n}",
  );
  const { virtualRoutes, virtualRules } = await first(text);
  const unicast = { type: "unicast" } as const;
  assertEquals(virtualRoutes, [
    { to: "10.9.0.0/16", source: "10.0.0.1", via: "10.0.0.9", device: "eth1", ...unicast },
    { to: "default", via: "10.0.0.254", table: 100, metric: 5, ...unicast },
    { to: "10.8.0.0/16", type: "blackhole" },
  ]);
  assertEquals(virtualRules, [
    { from: "10.5.0.0/16", table: 100, priority: 7 },
    { to: "10.4.0.0/16", table: 254, priority: 1001 },
  ]);
  assertEquals(comments(text), [
    "11: 10.7.0.0/16 via 10.0.0.1 or 10.0.0.2: only destination, next hop, device, source, metric and table are known: or",
    "12: 10.6.0.0/16 via fe80::1: has no next hop of the addresses' family",
    "16: to 10.4.0.0/16 lookup main: the priority 1001 is a guess",
    "17: fwmark 7 table 1: only from, to, table and priority are known, of one family: fwmark 7",
  ]);
});

Deno.test("importKeepalived() announcements and the delay at the start, of the instance or of all", async () => {
  const globals =
    "global_defs {\nvrrp_startup_delay 5.5\nvrrp_garp_master_refresh 30\nvrrp_garp_master_repeat 2\n}\n";
  const text = globals + instance("garp_master_delay 10\ngarp_master_repeat 1\ngarp_master_refresh_repeat 2");
  const { vrrp } = await good(convert(text));
  assertEquals(vrrp.startupDelay, 5500);
  assertEquals(vrrp.instances[0]!.announce, { times: 1, again: 10_000, refresh: 30_000, refreshTimes: 2 });
  assertEquals((await first(instance())).announce, {
    times: 5,
    again: 5000,
    refresh: 60_000,
    refreshTimes: 1,
  });
});

Deno.test("importKeepalived() a program without an absolute path gets a shell, and one with shell marks too", async () => {
  const script = (text: string) =>
    first(`vrrp_script s {\nscript ${text}\nweight 2\n}\n${instance("track_script {\ns\n}")}`);
  const command = async (text: string) => {
    const [track] = (await script(text)).track;
    return track?.kind === "exec" ? track.command : null;
  };
  assertEquals(await command('"/bin/a  b"'), ["/bin/a", "b"]);
  assertEquals(await command('"killall -0 x"'), ["/bin/sh", "-c", "killall -0 x"]);
  assertEquals(await command('"/bin/a | /bin/b"'), ["/bin/sh", "-c", "/bin/a | /bin/b"]);
  assertEquals(await command('"</dev/tcp/127.0.0.1/80"'), ["/bin/bash", "-c", "</dev/tcp/127.0.0.1/80"]);
  assertEquals(await command('"/bin/a ${HOME}"'), ["/bin/sh", "-c", "/bin/a ${HOME}"]);
});

Deno.test("importKeepalived() a virtual server is a listener, a pool and its check", async () => {
  const { listeners, pools } = await good(convert(`virtual_server 10.0.0.9 443 {
  delay_loop 6
  lb_algo sh
  protocol TCP
  sorry_server 10.0.1.9 80
  real_server 10.0.1.1 80 {
    weight 3
    uthreshold 9
    HTTP_GET {
      url {
        path /a?b
        status_code 200-299 404
      }
      virtualhost x.example.com
      connect_port 81
      connect_timeout 2
      retry 2
      delay_before_retry 1
    }
  }
  real_server 10.0.1.2 80 {
    weight 1
  }
}`));
  const [{ name, bind, protocol }] = listeners as [typeof listeners[0]];
  assertEquals([name, bind, protocol], ["10.0.0.9-443", [{ host: "10.0.0.9", port: 443 }], "tcp"]);
  const { balance, servers, check } = pools["10.0.0.9-443"]!;
  assertEquals(balance, "hash");
  assertEquals(
    servers.map(({ name, weight, maxConnections, backup }) => [name, weight, maxConnections, backup]),
    [
      ["10.0.1.9:80", 1, 0, true],
      ["10.0.1.1:80", 3, 9, false],
      ["10.0.1.2:80", 1, 0, false],
    ],
  );
  assertEquals(
    [check?.type, check?.settings["path"], check?.settings["host"], check?.port, check?.settings["expect"]],
    ["http", "/a?b", "x.example.com", 81, {
      status: [[200, 299], [404, 404]],
      headers: {},
      not: { headers: {} },
      body: undefined,
    }],
  );
  assertEquals([check?.interval, check?.timeout, check?.fall, check?.fastInterval], [6000, 2000, 3, 1000]);
});

Deno.test("importKeepalived() every kind of checker is a check, or a comment", async () => {
  const of = (checker: string) =>
    `virtual_server 10.0.0.9 80 {\nprotocol TCP\nreal_server 10.0.1.1 80 {\n${checker}\n}\n}`;
  const type = async (checker: string) =>
    (await good(convert(of(checker)))).pools["10.0.0.9-80"]?.check?.type ?? null;
  assertEquals(await type("TCP_CHECK {\nconnect_timeout 1\n}"), "tcp");
  assertEquals(await type("SSL_GET {\nurl {\npath /\n}\n}"), "http");
  assertEquals(await type("SMTP_CHECK {\nhelo_name lb1.test\n}"), "smtp");
  assertEquals(await type("DNS_CHECK {\n}"), "dns");
  assertEquals(await type('MISC_CHECK {\nmisc_path "/bin/x y"\n}'), "exec");
  assertEquals(await type("UDP_CHECK {\n}"), null);
  assertEquals(comments(of("UDP_CHECK {\npayload a\n}")), [
    "4: UDP_CHECK: has no equivalent: the servers count as healthy until traffic fails",
    "5: payload a",
  ]);
  const settings = async (checker: string): Promise<Record<string, unknown>> => {
    const { settings, tls } = (await good(convert(of(checker)))).pools["10.0.0.9-80"]!.check!;
    return { ...settings, verify: tls?.verify };
  };
  assertEquals((await settings("SSL_GET {\nurl {\npath /x\n}\n}"))["verify"], false);
  assertEquals((await settings("SMTP_CHECK {\nhelo_name lb1.test\n}"))["hello"], "lb1.test");
  const dns = async (text: string) => {
    const found = await settings(`DNS_CHECK {\n${text}\n}`);
    return [found["name"], found["record"]];
  };
  assertEquals(await dns(""), [".", "SOA"]);
  assertEquals(await dns("name example.com\ntype a"), ["example.com", "A"]);
});

Deno.test("importKeepalived() groups and ranges of addresses are written out; marks and UDP are refused", async () => {
  const text = "virtual_server_group G {\n10.0.0.8-9 80\nfd00::a-b 81\nfwmark 1\n}\n" +
    "virtual_server group G {\nreal_server 10.0.1.1 80 {\n}\n}\n" +
    "virtual_server fwmark 3 {\nreal_server 10.0.1.1 80 {\n}\n}\n" +
    "virtual_server 10.0.0.7 53 {\nprotocol UDP\n}\n";
  const { listeners } = await good(convert(text));
  assertEquals(listeners.map(({ bind }) => bind.map(({ host, port }) => `${host} ${port}`)), [
    ["10.0.0.8 80", "10.0.0.9 80", "fd00::a 81", "fd00::b 81"],
  ]);
  assertEquals(comments(text).filter((told) => /:.*:/.test(told!)), [
    "10: virtual_server fwmark 3: firewall marks are LVS's: no listener",
    "14: virtual_server 10.0.0.7 53: UDP needs lb_kind NAT, and rr, wrr, sh or mh",
    "4: fwmark 1: is no address and port",
  ]);
});

Deno.test("importKeepalived() NAT stays the kernel's where it knows how, of datagrams too", async () => {
  const server = (port: number) => `real_server 10.0.1.1 ${port} {\n}\n`;
  const text = `virtual_server 10.0.0.7 53 {\nprotocol UDP\nlb_algo sh\nlb_kind NAT\n${server(53)}}\n` +
    `virtual_server 10.0.0.7 53 {\nlb_algo wrr\nlb_kind NAT\npersistence_timeout 300\n${server(53)}}\n` +
    `virtual_server 10.0.0.7 80 {\nlb_algo wlc\nlb_kind NAT\n${server(80)}}\n` +
    `virtual_server 10.0.0.7 81 {\nlb_algo rr\nlb_kind DR\n${server(81)}}\n` +
    `virtual_server fd00::7 82 {\nlb_algo rr\nlb_kind NAT\n${server(82)}}\n`;
  const { listeners, pools } = await good(convert(text));
  assertEquals(
    listeners.map((
      { name, protocol, forward, kernel },
    ) => [name, protocol, forward, kernel.masquerade, kernel.persist, pools[name]?.balance]),
    [
      ["10.0.0.7-53-udp", "udp", "nat", false, undefined, "maglev"],
      ["10.0.0.7-53", "tcp", "nat", false, 300_000, "roundRobin"],
      ["10.0.0.7-80", "tcp", "proxy", true, undefined, "leastConnections"],
      ["10.0.0.7-81", "tcp", "proxy", true, undefined, "roundRobin"],
      ["fd00::7-82", "tcp", "proxy", true, undefined, "roundRobin"],
    ],
  );
  const direct = comments(text).find((told) => told?.includes("lb_kind DR"));
  assertEquals(
    direct,
    "23: lb_kind DR: Tandem accepts and connects itself: servers see its address; LVS's way is forward: dsr",
  );
});

Deno.test("importKeepalived() never throws, and what it writes is YAML of Tandem's shape", async () => {
  const words = [
    "vrrp_instance",
    "virtual_server",
    "real_server",
    "virtual_ipaddress",
    "track_script",
    "vrrp_script",
  ];
  words.push(
    "script",
    "HTTP_GET",
    "url",
    "path",
    "10.0.0.1",
    "80",
    "fd00::1-5",
    '"a: b #"',
    "'\"'",
    "${X}",
    "- x",
    "é\u0007",
  );
  const piece = fc.oneof(
    fc.constantFrom(...words, "{", "}", "\n"),
    fc.constantFrom(" ", "\n", ...Object.keys(VRRP_OPTIONS)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
      const loaded = await load(convert(pieces.join(" ")));
      // Values may be wrong, as those of the source are; the text is never.
      const shapeless = "problems" in loaded ? loaded.problems.filter(({ path }) => path === "") : [];
      assertEquals(shapeless, []);
    }),
    { numRuns: 300 },
  );
});

Deno.test("docs/vrrp.md shows what becomes of each option as it is", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/vrrp.md", import.meta.url));
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (supported|replaced|refused) +\| (.*?) +\|$/gm)];
  const names = { taken: "supported", better: "replaced", refused: "refused" };
  assertEquals(
    rows.map(([, option, fate, text]) => [option, fate, text]),
    [VRRP_OPTIONS, SYNC_GROUP_OPTIONS, ...Object.values(TRACKED)].flatMap(Object.entries<Fate>).map((
      [option, { fate, text }],
    ) => [option, names[fate], text]),
  );
});

const SAMPLES = "/usr/share/doc/keepalived/samples";
const samples = (() => {
  try {
    return [...Deno.readDirSync(SAMPLES)].map(({ name }) => name).filter((name) =>
      name.startsWith("keepalived.conf")
    );
  } catch {
    return [];
  }
})();

/** Statements that are no loss when nothing is said of them: their sense is in a field, or in those inside. */
const CARRIED = new RegExp(
  "^(script_user|vrrp_instance|vrrp_sync_group|vrrp_script|vrrp_version|virtual_server_group|virtual_server|real_server|sorry_server|global_defs|group" +
    "|script|interval|timeout|weight|rise|fall|init_fail|vrrp_garp_\\w+|src|blackhole|delay_loop|lb_algo|lb_kind|persistence_timeout|protocol|virtualhost|path|status_code|url|connect_port" +
    "|connect_timeout|misc_path|misc_timeout|helo_name|retry|nb_get_retry|delay_before_retry|uthreshold|auth_type|auth_pass" +
    "|[A-Z_]+|VI_\\w+|eth.*|chk_\\w+|check_\\w+|[0-9a-f.:/-]+)$",
);

Deno.test({
  name: "importKeepalived() keepalived's examples: Tandem accepts each, and no line is lost" +
    (samples.length === 0 ? ` (skipped: needs ${SAMPLES} (Debian: keepalived))` : ""),
  ignore: samples.length === 0,
  fn: async () => {
    assert(samples.length > 20);
    for (const name of samples) {
      const text = Deno.readTextFileSync(`${SAMPLES}/${name}`);
      const written = convert(text, "high");
      await good(written);
      const told = new Set([...written.matchAll(/^ *# (\d+): /gm)].map(([, line]) => Number(line)));
      const taken = (word: string) => VRRP_OPTIONS[word]?.fate === "taken" || CARRIED.test(word);
      const lost = (statements: readonly Statement[]): string[] =>
        statements.flatMap((one) => [
          // The checks of a pool's servers are told of once when they are the same.
          ...told.has(Number(one.place.label)) || taken(one.words[0]!) || written.includes(`: ${one.text}: `)
            ? []
            : [`${name}:${one.place.label}: ${one.text}`],
          ...lost(one.block ?? []),
        ]);
      const { lines } = expandLines({ file: name, text }, alone("high"));
      assertEquals(lost(parseKeepalived(lines)), []);
    }
  },
});
