"""Whether db/schema.rb, or db/structure.sql, is what the migrations make: Active Record writes it down after each run,
and it must be committed with the migration. It is what tests and new databases are made from.

Facts: https://guides.rubyonrails.org/active_record_migrations.html#schema-dumping-and-you. The dump is made by the
project's own rake task, into a file of ours, and compared by a task that is added to the project's.
"""

from __future__ import annotations

from dataclasses import replace

from neon_hooks.plan import Command, Comparison, Unit
from neon_hooks.tree import Tree, join

TASK = "neon_hooks_schema"
FILE = f"{TASK}.rb"
# A line is told with the one that it is indented under; commas and the like change with the lines below.
RUBY = """\
require "rake"

module NeonHooks
  NOISE = /\\A(?:\\s*(?:#|--)|\\\\(?:un)?restrict |SET |SELECT pg_catalog\\.set_config|\\s*end\\s*\\z|\\);?\\s*\\z)/

  def self.lines(path)
    heading = ""
    File.readlines(path, encoding: "UTF-8").map { |line| line.chomp.sub(/\\A  (?=create|add|enable|t\\.)/, "") }
        .reject { |line| line.strip.empty? || line.match?(NOISE) }.map do |line|
      text = line.strip.squeeze(" ").sub(/[,;]\\z/, "")
      next "#{heading}: #{text}" if line.match?(/\\A\\s/) && !heading.empty?
      heading = text.sub(/(?:, [a-z_]+:.*)? do \\|\\w+\\|\\z/, "").sub(/ \\(\\z/, "")
      text
    end
  end

  def self.schema_format
    (ActiveRecord.respond_to?(:schema_format) ? ActiveRecord : ActiveRecord::Base).schema_format
  end
end

Rake::Task.define_task("neon_hooks_schema") do
  Rake::Task["db:load_config"].invoke
  sql = NeonHooks.schema_format.to_s == "sql"
  given = ENV.fetch(sql ? "NEON_HOOKS_STRUCTURE" : "NEON_HOOKS_SCHEMA")
  ENV["SCHEMA"] = made = File.join(ENV.fetch("NEON_HOOKS_FILES"), File.basename(given))
  dump = sql && ActiveRecord.version < Gem::Version.new("6.1") ? "db:structure:dump" : "db:schema:dump"
  name = ENV.fetch("NEON_HOOKS_NAME", "")
  File.exist?(given) && Rake::Task[name.empty? ? dump : "#{dump}:#{name}"].invoke
  if File.exist?(given) && File.exist?(made)
    here, there = NeonHooks.lines(given), NeonHooks.lines(made)
    (here - there).each { |line| puts "neon-hooks: - #{line}" }
    (there - here).each { |line| puts "neon-hooks: + #{line}" }
  else
    puts "neon-hooks: no schema is dumped here"
  end
end
"""


def compare(unit: Unit, tree: Tree, migrate: Command) -> Comparison | None:
    """``migrate`` starts the project's migrations; the dump needs the same environment. None: no file is kept."""
    name = unit.options.get("name", "")
    prefix = "" if name in ("", "primary") else f"{name}_"
    schema, structure = (join(unit.root, f"db/{prefix}{file}") for file in ("schema.rb", "structure.sql"))
    if schema not in tree and structure not in tree:
        return None
    command = replace(
        migrate,
        argv=("rake", "-r", "{files}/" + FILE, TASK),
        environment={
            **migrate.environment,
            "NEON_HOOKS_FILES": "{files}",
            "NEON_HOOKS_NAME": name,
            "NEON_HOOKS_SCHEMA": "{checkout}/" + schema,
            "NEON_HOOKS_STRUCTURE": "{checkout}/" + structure,
        },
        files={**migrate.files, FILE: RUBY},
    )
    return Comparison(
        command,
        differs=r"^neon-hooks: [-+] ",
        difference=r"(?<=^neon-hooks: )[-+] .*",
        nothing=r"^neon-hooks: no schema",
        by_database=True,
    )
