/**
 * What becomes of the keywords of keepalived's `global_defs` that are not converted: why they need not be, or what there
 * is instead. Defaults of all instances are told as the option of an instance is. Pure data.
 */
import { VRRP_OPTIONS } from "./vrrp_options.ts";

/** The first that fits. */
const REASONS: readonly (readonly [keyword: RegExp, reason: string])[] = [
  [/^router_id$/, "a node has its name by --node"],
  [/^(notification_email|smtp_|no_\w*email)/, VRRP_OPTIONS["smtp_alert"]!.text],
  [/^enable_script_security$/, "is always so: a program that others could replace is not run"],
  [/^dynamic_interfaces$/, "is always so: an interface may come later"],
  [/^vrrp_strict$/, VRRP_OPTIONS["strict_mode"]!.text],
  [/^vrrp_mcast_group[46]$/, VRRP_OPTIONS["mcast_dst_ip"]!.text],
  [/(priority|rlimit_rttime|no_swap|cpu_affinity|auto_priority_delay)$/, "is the affair of the systemd unit"],
  [/_(rcv|rx)_bufs/, VRRP_OPTIONS["kernel_rx_buf_size"]!.text],
  [/snmp|traps|dbus/, "speaks neither SNMP nor D-Bus: there are metrics and the admin socket"],
  [/notify_fifo/, VRRP_OPTIONS["notify"]!.text],
  [/^reload_/, "reads the file again at `tandem reload`, or SIGHUP"],
  [/^net_namespace/, "runs in the namespace in which it is started"],
];

/** In words. */
export function reasonOfGlobal(keyword: string): string {
  const found = REASONS.find(([fits]) => fits.test(keyword));
  return found?.[1] ?? VRRP_OPTIONS[keyword.replace(/^vrrp_/, "")]?.text ?? "has no equivalent";
}
