import { Eta } from 'eta';
import type { MailContent } from '../../domain/mail-content.js';

const html = new Eta({ autoEscape: true });
const plain = new Eta({ autoEscape: false, autoTrim: false });

const marked = 'Written by the agent, not checked by anybody:';

const htmlTemplate = html.compile(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title><%= it.heading %></title></head>
<body style="font-family:sans-serif;line-height:1.5;max-width:40em">
<h1 style="font-size:1.3em"><%= it.heading %></h1>
<% if (it.fromAgent.length > 0) { %>
<p style="margin-bottom:0;color:#555"><%= it.marked %></p>
<blockquote style="margin:0 0 1em;padding:.5em 1em;border-left:4px solid #b45309;background:#fef3c7">
<% for (const { label, value } of it.fromAgent) { %><div><%= label %>: <strong><%= value %></strong></div>
<% } %></blockquote>
<% } %>
<table style="border-spacing:0">
<% for (const { label, value } of it.facts) { %><tr><td style="padding-right:1em;color:#555"><%= label %></td><td><%= value %></td></tr>
<% } %></table>
<% if (it.link) { %><p><a href="<%= it.link.url %>"><%= it.link.label %></a><br><small><%= it.link.url %></small></p>
<% } %>
</body></html>
`);

const textTemplate = plain.compile(`<%= it.heading %>

<% if (it.fromAgent.length > 0) { %><%= it.marked %>
<% for (const { label, value } of it.fromAgent) { %>> <%= label %>: <%= value %>
<% } %>
<% } %><% for (const { label, value } of it.facts) { %><%= label %>: <%= value %>
<% } %><% if (it.link) { %>
<%= it.link.label %>: <%= it.link.url %>
<% } %>`);

/** The two bodies of a mail. The template escapes HTML; the values are already single lines without control characters. */
export const renderMail = (content: MailContent): { text: string; html: string } => ({
  text: plain.render(textTemplate, { ...content, marked }),
  html: html.render(htmlTemplate, { ...content, marked }),
});
