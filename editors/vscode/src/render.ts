/** Turns the state of the server and of the switches into what the status bar shows. */

import type { ServerFacts, ServerStatus } from "./protocol.ts";

export interface Condition {
  server: ServerStatus;
  facts: Partial<ServerFacts>;
  /** Why nothing is suggested here although the server could: a sentence, or empty. */
  switchedOff: string;
}

export interface Rendered {
  text: string;
  /** Markdown, one fact a line. */
  tooltip: string;
  severity: "none" | "warning" | "error";
}

const ICONS = { Normal: "$(sparkle)", Warning: "$(warning)", Error: "$(error)", Inactive: "$(circle-slash)" } as const;
const SEVERITIES = { Normal: "none", Warning: "warning", Error: "error", Inactive: "none" } as const;

/** Return the status bar's item for a condition. */
export function render({ server, facts, switchedOff }: Condition): Rendered {
  const off = switchedOff !== "" && server.kind === "Normal";
  const icon = off ? ICONS.Inactive : server.busy ? "$(loading~spin)" : ICONS[server.kind];
  const lines = [
    `**fimserver**: ${off ? switchedOff : server.message}`,
    facts.model && `Model: ${facts.model}`,
    facts.tokensPerSecond && `Speed: ${facts.tokensPerSecond.toFixed(1)} tokens per second`,
    facts.memoryBytes && `Engine memory: ${Math.round(facts.memoryBytes / 2 ** 20)} MiB`,
    facts.lastReason && `Last empty answer: ${facts.lastReason}`,
  ];
  return {
    text: `${icon} fim`,
    tooltip: lines.filter(Boolean).join("\n\n"),
    severity: SEVERITIES[server.kind],
  };
}
