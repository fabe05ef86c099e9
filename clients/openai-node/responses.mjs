// The official package for Node, through the Responses API.

import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { ABOUT, CITY, KEY, MODEL, URL, drive, image, weather } from "./driving.mjs";

const client = new OpenAI({ baseURL: URL, apiKey: KEY, maxRetries: 0, timeout: 30_000 });
const Report = z.object({ city: z.string(), degrees: z.int() });

const ask = (input, more) => client.responses.create({ model: MODEL, input, ...more });
const counted = (usage) => [usage.input_tokens, usage.output_tokens];

async function answer(prompt) {
  const { output_text, usage } = await ask(prompt);
  return { text: output_text, usage: counted(usage) };
}

async function stream(prompt) {
  const events = client.responses.stream({ model: MODEL, input: prompt });
  const pieces = [];
  events.on("response.output_text.delta", ({ delta }) => pieces.push(delta));
  const { usage } = await events.finalResponse();
  return { pieces, usage: counted(usage) };
}

async function tools(prompt) {
  const tools = [{ type: "function", name: "get_weather", description: ABOUT, parameters: CITY, strict: false }];
  const first = await ask(prompt, { tools });
  const calls = first.output.filter(({ type }) => type === "function_call");
  const called = calls.map((call) => JSON.parse(call.arguments).city);
  const results = calls.map(({ call_id }, index) => ({
    type: "function_call_output",
    call_id,
    output: weather(called[index]),
  }));
  const last = await ask(results, { tools, previous_response_id: first.id });
  return { called, text: last.output_text };
}

async function conversation(prompt) {
  const texts = [];
  let previous_response_id = null;
  for (const words of prompt.split("\n")) {
    const { id, output_text } = await ask(words, { previous_response_id });
    previous_response_id = id;
    texts.push(output_text);
  }
  return { texts };
}

async function shown(prompt) {
  const content = [
    { type: "input_text", text: prompt },
    { type: "input_image", image_url: image(), detail: "auto" },
  ];
  return { text: (await ask([{ role: "user", content }])).output_text };
}

async function schema(prompt) {
  const { output_parsed } = await client.responses.parse({
    model: MODEL,
    input: prompt,
    text: { format: zodTextFormat(Report, "report") },
  });
  return { value: output_parsed };
}

async function reasoning(prompt) {
  const { output, output_text } = await ask(prompt, { reasoning: { effort: "high", summary: "auto" } });
  const thoughts = output.filter(({ type }) => type === "reasoning").flatMap(({ summary }) => summary);
  return { reasoning: thoughts.map(({ text }) => text).join(""), text: output_text };
}

await drive({ answer, stream, usage: stream, tools, conversation, image: shown, schema, reasoning });
