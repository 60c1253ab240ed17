/**
 * What becomes of each option of keepalived's `vrrp_instance`: the one table behind `tandem import` and `docs/vrrp.md`.
 *
 * `taken`: Tandem has the same, named in the text. `better`: it does so by itself, or has something else for it.
 * `refused`: it has not, for the reason in the text. Pure data.
 */

export interface Fate {
  readonly fate: "taken" | "better" | "refused";
  readonly text: string;
}

const taken = (text: string): Fate => ({ fate: "taken", text });
const better = (text: string): Fate => ({ fate: "better", text });
const refused = (text: string): Fate => ({ fate: "refused", text });

const MACS = refused(
  "with virtualMac: true addresses and adverts have the virtual MAC, on a macvlan; nothing else",
);
export const NOTIFY = better(
  "onTransition runs one program, with instance, old state, new state and reason as arguments",
);

const FILE: Readonly<Record<string, Fate>> = {
  file: taken("number; file with weight 0"),
  weight: taken("weight; `reverse`: the other sign"),
  init_file: refused("writes no file; without one the number is 0"),
};

export const VRRP_OPTIONS: Readonly<Record<string, Fate>> = {
  state: better("starts as a backup, and takes over when it hears nobody"),
  interface: taken("interface"),
  virtual_router_id: taken("routerId"),
  priority: taken("priority; 255 becomes 254, as Tandem never owns the addresses themselves"),
  advert_int: taken("advertInterval"),
  version: taken("transport: vrrp2 or vrrp3"),
  virtual_ipaddress: taken("addresses; what follows an address (brd, scope, label) has no equivalent"),
  virtual_ipaddress_excluded: taken("unadvertised"),
  authentication: taken("password, in version 2; AH is not supported"),
  unicast_peer: taken("peers"),
  mcast_dst_ip: refused("speaks to 224.0.0.18 and ff02::12, or to peers"),
  old_unicast_checksum: refused(
    "sums up the addresses that the packet has, as keepalived itself does without this option",
  ),
  unicast_src_ip: better(
    "speaks from the interface's own address in the subnet of its peers, else from the first",
  ),
  mcast_src_ip: better("speaks from the interface's first address of its own"),
  unicast_ttl: better("sends and wants 255"),
  unicast_fault_no_peer: better("peers are never guessed"),
  check_unicast_src: better("hears only its peers when they are named"),
  nopreempt: taken("preempt: false"),
  preempt: taken("preempt: true"),
  preempt_delay: taken("preempt, a duration"),
  track_interface: taken("track, interface"),
  track_script: taken("track, exec; without a weight with fault: true"),
  track_file: taken("track, number; with weight 0 track, file with fault: true"),
  track_process: taken("track, process; with weight 0 with fault: true"),
  track_bfd: refused("speaks no BFD"),
  dont_track_primary: refused("always gives the address up without a link"),
  track_src_ip: better("an interface without an address of its own is a fault"),
  linkbeat_use_polling: better("hears of links by netlink"),
  garp_master_delay: taken("announce, again"),
  garp_master_repeat: taken("announce, times"),
  garp_lower_prio_delay: better("after a lower advert announces as after a take-over"),
  garp_lower_prio_repeat: better("after a lower advert announces as after a take-over"),
  garp_master_refresh: taken("announce, refresh; without it every minute, not never"),
  garp_master_refresh_repeat: taken("announce, refreshTimes"),
  garp_interval: refused("what is announced leaves at once: lower announce, times instead"),
  gna_interval: refused("what is announced leaves at once: lower announce, times instead"),
  garp_extra_if: refused("announces on the instance's interface, where the addresses are"),
  lower_prio_no_advert: better("always answers a lower advert: two owners would stay two"),
  down_timer_adverts: refused("takes over after three adverts, as RFC 9568 says"),
  higher_prio_send_advert: better("always has a last word to a higher one, which then announces again"),
  promote_secondaries: better("sets it where an address has neighbours in its subnet"),
  accept: better("always answers on its addresses (RFC 9568: Accept_Mode)"),
  no_accept: refused("a balancer that does not answer on its addresses is none"),
  use_vmac: taken("virtualMac: true, for multicast; the name of the interface is vrrp.ID, or vrrp6.ID"),
  use_vmac_addr: MACS,
  use_ipvlan: MACS,
  vmac_xmit_base: MACS,
  virtual_routes: taken("virtualRoutes, with one next hop each; without src the first address is the source"),
  virtual_rules: taken("virtualRules, by source and destination"),
  vrf: refused("knows no VRFs"),
  native_ipv6: better("goes by the family of the addresses"),
  strict_mode: better("what keepalived calls strict is checked always"),
  skip_check_adv_addr: better("logs adverts with other addresses and heeds them"),
  notify: NOTIFY,
  notify_master: NOTIFY,
  notify_backup: NOTIFY,
  notify_fault: NOTIFY,
  notify_stop: NOTIFY,
  notify_deleted: NOTIFY,
  notify_master_rx_lower_pri: NOTIFY,
  notify_priority_changes: better("every change is a line in the log and a metric"),
  smtp_alert: refused("sends no mail: onTransition, or an alert on the metrics"),
  debug: better("log: { level: debug }"),
  kernel_rx_buf_size: better("reads what it is sent at once"),
};

/** The same for its `vrrp_sync_group`. */
export const SYNC_GROUP_OPTIONS: Readonly<Record<string, Fate>> = {
  group: taken("syncGroup of each instance"),
  track_interface: taken("track of each instance"),
  track_script: taken("track of each instance"),
  track_file: taken("track of each instance"),
  track_process: taken("track of each instance"),
  track_bfd: refused("speaks no BFD"),
  global_tracking: better("what one instance tracks always counts for all of its group"),
  sync_group_tracking_weight: better("weights always count for all of the group"),
  notify: NOTIFY,
  notify_master: NOTIFY,
  notify_backup: NOTIFY,
  notify_fault: NOTIFY,
  notify_stop: NOTIFY,
  notify_priority_changes: better("every change is a line in the log and a metric"),
  smtp_alert: refused("sends no mail: onTransition, or an alert on the metrics"),
};

/** The same for the sections of what is tracked. */
export const TRACKED: Readonly<Record<string, Readonly<Record<string, Fate>>>> = {
  vrrp_script: {
    script: taken("exec; what is no absolute path, or needs a shell, gets one"),
    interval: taken("interval"),
    timeout: taken("timeout"),
    weight: taken("weight, or fault: true without one; `reverse`: the other sign, and invert"),
    rise: taken("rise"),
    fall: taken("fall"),
    init_fail: taken("initial: bad"),
    user: refused("all programs run as the one scriptUser"),
  },
  vrrp_track_process: {
    process: taken("process, its name; with parameters it is not tracked"),
    weight: taken("weight, or fault: true with 0; `reverse`: the other sign, and invert"),
    quorum: taken("minRunning"),
    quorum_max: taken("maxRunning"),
    delay: taken("rise and fall, of which each is a second"),
    fork_delay: taken("rise, of which each is a second"),
    terminate_delay: taken("fall, of which each is a second"),
    full_command: refused("only the names of processes are compared"),
    param_match: refused("only the names of processes are compared"),
  },
  track_file: FILE,
  vrrp_track_file: FILE,
};

/** For a statement that this table does not have. */
export const UNKNOWN_OPTION = "is not known to tandem import";
