// The playground: one streamed request, with the headers and the usage of its answer.

import { copyText } from "./copy.js";

function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** The body of the request that the form describes. Throws where the tools are no JSON. */
async function bodyOf(form) {
  const fields = new FormData(form);
  const text = fields.get("prompt");
  const image = fields.get("image");
  const content = image?.size ? [{ type: "text", text }, { type: "image_url", image_url: { url: await dataUrl(image) } }] : text;
  const messages = [{ role: "user", content }];
  if (fields.get("system").trim()) messages.unshift({ role: "system", content: fields.get("system") });
  const body = { model: fields.get("model"), messages, stream: true, stream_options: { include_usage: true } };
  if (fields.get("effort")) body.reasoning_effort = fields.get("effort");
  if (fields.get("tools").trim()) body.tools = JSON.parse(fields.get("tools"));
  return body;
}

export function playground(form) {
  const state = document.getElementById("try-state");
  const answer = document.getElementById("try-answer");
  const stop = document.getElementById("try-stop");
  let controller = null;

  async function send() {
    controller?.abort();
    const mine = (controller = new AbortController());
    answer.textContent = "";
    stop.disabled = false;
    const began = performance.now();
    const seconds = () => `${((performance.now() - began) / 1000).toFixed(2)} s`;
    try {
      const body = await bodyOf(form);
      state.textContent = "Waiting for the first token";
      const response = await fetch(form.dataset.url, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: mine.signal,
      });
      const run = response.headers.get("x-request-id");
      if (!response.ok) {
        const error = (await response.json()).error;
        state.textContent = `${response.status} ${error.code ?? ""}: ${error.message}`;
        return;
      }
      let first = "";
      let usage = null;
      for await (const data of events(response.body)) {
        if (data === "[DONE]") break;
        const chunk = JSON.parse(data);
        if (chunk.error) throw new Error(chunk.error.message);
        first ||= seconds();
        usage = chunk.usage ?? usage;
        const delta = chunk.choices?.[0]?.delta ?? {};
        if (delta.content) answer.append(delta.content);
        for (const call of delta.tool_calls ?? []) {
          answer.append(`${call.function?.name ? `\n${call.function.name} ` : ""}${call.function?.arguments ?? ""}`);
        }
      }
      const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
      const tokens = usage ? `, ${usage.prompt_tokens} tokens in (${cached} cached), ${usage.completion_tokens} out` : "";
      const ignored = response.headers.get("x-claude-openai-ignored");
      state.textContent = `First token after ${first}, done after ${seconds()}${tokens}${ignored ? `, ignored: ${ignored}` : ""}, request ${run}`;
    } catch (error) {
      state.textContent = mine.signal.aborted ? `Stopped after ${seconds()}` : String(error.message ?? error);
    } finally {
      if (controller === mine) stop.disabled = true;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  stop.addEventListener("click", () => controller?.abort());
  window.addEventListener("pagehide", () => controller?.abort());
  const curl = document.getElementById("try-curl");
  curl.addEventListener("click", async () => {
    try {
      const body = JSON.stringify(await bodyOf(form), null, 2).replaceAll("'", "'\\''");
      const url = `${window.location.origin}/v1/chat/completions`;
      copyText(`curl -N ${url} -H "authorization: Bearer $CLAUDE_OPENAI_API_KEY" -H 'content-type: application/json' -d '${body}'`, curl);
    } catch (error) {
      state.textContent = `The tools are no JSON: ${error.message}`;
    }
  });
}

/** The data of each server-sent event of `body`. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (buffer + value).split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) {
      for (const line of block.split("\n")) if (line.startsWith("data: ")) yield line.slice("data: ".length);
    }
  }
}
