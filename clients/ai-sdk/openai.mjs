// The AI SDK with its package for OpenAI, which is the Responses API.

import { createOpenAI } from "@ai-sdk/openai";
import { KEY, MODEL, URL, drive } from "./driving.mjs";
import { capabilitiesOf } from "./generating.mjs";

const claude = createOpenAI({ baseURL: URL, apiKey: KEY });
const thinking = { reasoningEffort: "high", reasoningSummary: "auto", forceReasoning: true };

await drive(capabilitiesOf(claude(MODEL), { openai: thinking }));
