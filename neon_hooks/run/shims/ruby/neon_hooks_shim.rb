# The driver shim for Ruby: every PG::Connection goes to the target, and what it says is noted.
#
# Loaded by RUBYOPT into every Ruby of the run. No dependencies, Ruby 2.7 and later. It must never break the
# program; the one exception is a connection whose target is not known, which must not be opened.
#
# Environment: NEON_HOOKS_TARGET (a connection URL), NEON_HOOKS_JOURNAL (a file to append to),
# NEON_HOOKS_CHECKOUT (the pushed tree).

module NeonHooksShim
  # What a program may say about where to connect and as whom. All of it is dropped.
  IDENTITY = %w[
    host hostaddr port user password passfile dbname service servicefile sslmode sslcert sslkey sslpassword
    sslrootcert sslcrl sslcrldir sslsni sslcompression sslnegotiation sslcertmode requiressl channel_binding
    ssl_min_protocol_version ssl_max_protocol_version require_auth target_session_attrs load_balance_hosts
    gssencmode krbsrvname gsslib gssdelegation requirepeer replication
  ].freeze
  # libpq takes these even when a connection string names a host.
  LIBPQ_OVERRIDES = %w[PGHOSTADDR PGSERVICE PGSERVICEFILE PGSYSCONFDIR].freeze
  STATEMENTS = %i[
    exec query async_exec async_query sync_exec exec_params async_exec_params sync_exec_params
    exec_prepared async_exec_prepared sync_exec_prepared prepare async_prepare sync_prepare
    send_query send_query_params
  ].freeze
  CONNECTS = %i[new open connect setdb setdblogin async_connect sync_connect connect_start].freeze
  MAX_SQL = 20_000
  MAX_PARAMS = 200
  MAX_STATEMENTS = 20_000
  MAX_FRAMES = 8
  ROUTINE = /\A\s*(?:select|insert|update|delete|fetch|copy)/i.freeze
  BOOKKEEPING = /migration|version|metadata/i.freeze

  class << self
    attr_reader :target

    def install(environ)
      require "json"
      @target = parse(environ["NEON_HOOKS_TARGET"])
      @journal = environ["NEON_HOOKS_JOURNAL"]
      checkout = environ["NEON_HOOKS_CHECKOUT"].to_s
      @checkout = checkout.empty? ? "" : File.realpath(checkout) + "/"
      @number = 0
      write("loaded", ruby: RUBY_VERSION)
      wait_for_driver
    end

    # libpq's parameters in a connection URL.
    def parse(uri)
      require "uri"
      parts = URI.parse(uri)
      found = {
        host: plain(parts.hostname), port: parts.port || 5432, dbname: plain(parts.path.delete_prefix("/")),
        user: plain(parts.user), password: plain(parts.password)
      }
      URI.decode_www_form(parts.query.to_s).each { |key, value| found[key.to_sym] = value }
      found.reject { |_, value| value.nil? || value == "" }
    end

    def plain(text)
      text && URI.decode_www_form_component(text.gsub("+", "%2B"))
    end

    # One line in one write, so that a killed process loses nothing.
    def write(kind, **fields)
      line = JSON.generate({ kind: kind, pid: Process.pid, **fields }) + "\n"
      File.open(@journal, File::WRONLY | File::APPEND | File::CREAT, 0o600) { |file| file.syswrite(line) } if @journal
    rescue StandardError
      nil # a full disk is not the program's fault
    end

    # The class exists when its C extension was loaded, its Ruby methods when the file that has them ends.
    def wait_for_driver
      return patch if defined?(PG::Connection) && PG::Connection.method_defined?(:exec)

      @trace = TracePoint.new(:end) do |point|
        if point.self.is_a?(Class) && point.self.name == "PG::Connection"
          @trace.disable
          patch
        end
      end
      @trace.enable
    end

    def patch
      (CONNECTS - PG::Connection.methods).each { |name| Connects.remove_method(name) }
      (STATEMENTS - PG::Connection.instance_methods).each { |name| Statements.remove_method(name) }
      PG::Connection.singleton_class.prepend(Connects)
      PG::Connection.prepend(Statements)
    rescue StandardError => e
      write("broken", what: "pg: #{e.message}")
    end

    # The target's parameters, and what may be kept of the program's: options, time limits, ...
    def redirected(written)
      LIBPQ_OVERRIDES.each { |name| ENV.delete(name) } # a dotenv library may have set them since we started
      kept = written.reject { |key, _| IDENTITY.include?(key.to_s) }.transform_keys(&:to_sym)
      # `endpoint=...` in the options chooses a compute on Neon (docs, connection errors).
      if kept[:options]
        kept[:options] = kept[:options].to_s.split.reject { |word| word.start_with?("endpoint=", "project=") }.join(" ")
      end
      kept.merge(@target)
    end

    # What a program wrote, in any of the forms that PG::Connection.new takes.
    def written(args, keywords)
      first = args.first
      return first.to_h.merge(keywords) if first.respond_to?(:to_h) && !first.is_a?(Array) && !first.nil?
      return PG::Connection.conninfo_parse(first.to_s).to_h { |each| [each[:keyword], each[:val]] }.compact.merge(keywords) if first && args.size == 1

      names = %i[host port options tty dbname user password]
      names.zip(args).to_h.compact.reject { |key, _| key == :tty }.merge(keywords)
    rescue StandardError
      keywords
    end

    def connected(asked)
      words = %i[service host hostaddr port dbname].map { |key| [key, asked[key] || asked[key.to_s]] }
      there = [@target[:host], @target[:port], @target[:dbname]].join("/")
      write("connect", driver: "pg", asked: words.select(&:last).map { |pair| pair.join("=") }.join(" "), to: there, ours: true)
    end

    def note(connection, sql, params)
      return yield if Thread.current[:neon_hooks_inside]

      Thread.current[:neon_hooks_inside] = true
      begin
        fields = begun(connection, sql, params)
        started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        begin
          result = yield
          fields[:rows] = rows(result)
          result
        rescue PG::Error => e
          fields[:error] = diagnosis(e)
          raise
        ensure
          fields[:ms] = ((Process.clock_gettime(Process::CLOCK_MONOTONIC) - started) * 1000).round(3)
          write("statement", **fields) if !fields.delete(:quiet) || fields[:error]
        end
      ensure
        Thread.current[:neon_hooks_inside] = false
      end
    end

    def begun(connection, sql, params)
      text = sql.to_s.encode("UTF-8", invalid: :replace, undef: :replace)[0, MAX_SQL]
      @number += 1
      quiet = @number > MAX_STATEMENTS && ROUTINE.match?(text) && !BOOKKEEPING.match?(text[0, 300])
      fields = {
        number: @number, at: Time.now.to_f, sql: text, params: shortened(params), quiet: quiet,
        connection: connection.object_id, transaction: transaction(connection)
      }
      unless quiet
        fields[:frames] = frames
        write("begin", number: @number, sql: text)
      end
      fields
    rescue StandardError
      { quiet: true }
    end

    # A new number when no transaction is open.
    def transaction(connection)
      idle = connection.transaction_status == PG::PQTRANS_IDLE
      last = connection.instance_variable_get(:@neon_hooks_transaction) || 0
      last += 1 if idle || last.zero?
      connection.instance_variable_set(:@neon_hooks_transaction, last)
    end

    def shortened(params)
      text = params.nil? || params.empty? ? "" : params.inspect
      text.size <= MAX_PARAMS ? text : text[0, MAX_PARAMS] + "..."
    rescue StandardError
      "?"
    end

    # The lines of the project that led here, innermost first: one of them may be the migration's.
    def frames
      return [] if @checkout.empty?

      caller_locations(3, 200).filter_map do |place|
        path = place.absolute_path || place.path
        next unless path&.start_with?(@checkout) && !path.include?("/vendor/bundle/") && !path.include?("/gems/")

        [path.delete_prefix(@checkout), place.lineno]
      end.first(MAX_FRAMES)
    end

    def rows(result)
      result.is_a?(PG::Result) ? [result.cmd_tuples, result.ntuples].max : nil
    rescue StandardError
      nil
    end

    def diagnosis(error)
      result = error.result
      return { message: error.message.to_s } unless result

      field = ->(code) { result.error_field(code) }
      {
        sqlstate: field.(PG::PG_DIAG_SQLSTATE), message: field.(PG::PG_DIAG_MESSAGE_PRIMARY),
        detail: field.(PG::PG_DIAG_MESSAGE_DETAIL), hint: field.(PG::PG_DIAG_MESSAGE_HINT),
        context: field.(PG::PG_DIAG_CONTEXT), position: field.(PG::PG_DIAG_STATEMENT_POSITION)
      }
    rescue StandardError
      { message: error.message.to_s }
    end
  end

  module Connects
    CONNECTS.each do |name|
      define_method(name) do |*args, **keywords, &block|
        return super(*args, **keywords, &block) if Thread.current[:neon_hooks_connecting]

        asked = NeonHooksShim.written(args, keywords)
        Thread.current[:neon_hooks_connecting] = true
        begin
          opened = super(**NeonHooksShim.redirected(asked))
          NeonHooksShim.connected(asked)
        ensure
          Thread.current[:neon_hooks_connecting] = false
        end
        next opened unless block

        begin
          block.call(opened)
        ensure
          opened.finish unless opened.finished?
        end
      end
    end
  end

  module Statements
    STATEMENTS.each do |name|
      define_method(name) do |*args, &block|
        texts = @neon_hooks_prepared ||= {} # of statements by name
        texts[args[0]] = args[1] if name.to_s.end_with?("prepare")
        sql = name.to_s.include?("prepare") ? texts.fetch(args[0], args[0]) : args[0]
        NeonHooksShim.note(self, sql, args[1].is_a?(Array) ? args[1] : nil) { super(*args, &block) }
      end
    end
  end
end

begin
  NeonHooksShim.install(ENV) if ENV["NEON_HOOKS_TARGET"]
rescue StandardError => e
  warn "neon-hooks: the driver shim could not be loaded: #{e.message}"
end
